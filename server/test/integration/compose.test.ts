import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseEnv } from 'node:util';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { readConfig, settingsByName } from '../../src/config.ts';
import { ROOT } from '../../tools/checks/child-process.ts';

/** dclint carries the schema as the Compose specification publishes it. */
const SCHEMA = join(
  dirname(createRequire(import.meta.url).resolve('dclint/package.json')),
  'schemas/compose.schema.json',
);
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const text = read('docker-compose.yml');
const example = parseEnv(read('deploy/example.env'));
const VARIABLE = /(?<!\$)\$\{([A-Z_]+)(?::?([-?])([^}]*))?\}/g;
const SECRET = /PASSWORD|SECRET/;

const service = z.object({
  image: z.string(),
  environment: z.record(z.string(), z.union([z.string(), z.number()])).default({}),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.object({}).optional(),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  read_only: z.boolean().default(false),
  ports: z.array(z.string()).default([]),
  build: z.object({}).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  networks: z
    .union([z.array(z.string()), z.record(z.string(), z.object({ ipv4_address: z.string() }))])
    .default([]),
  deploy: z.object({ resources: z.object({ limits: z.object({ cpus: z.string(), memory: z.string() }) }) }),
});
const production = z.object({
  services: z.record(z.string(), service),
  networks: z.object({
    inside: z.object({
      ipam: z.object({ config: z.tuple([z.object({ subnet: z.string(), ip_range: z.string() })]) }),
    }),
  }),
  volumes: z.record(z.string(), z.null()),
});

const merged = (yaml: string): unknown => parse(yaml, { merge: true });
const { services, networks, volumes } = production.parse(merged(text));
/** What serves; the service that brings the tables up to date has ended by then. */
const ours = Object.entries(services).filter(
  ([name, { build }]) => build !== undefined && name !== 'migrate',
);

/** What the specification says is wrong with a file. */
function faultsOf(yaml: string): readonly string[] {
  // The schema names its own language by an address that ajv doesn't know it under.
  const formats = { duration: true, uri: true } as const;
  const ajv = new Ajv({ strict: false, validateSchema: false, allErrors: true, formats });
  const schema: unknown = JSON.parse(readFileSync(SCHEMA, 'utf8'));
  const validate = ajv.compile(z.looseObject({}).parse(schema));
  validate(merged(yaml));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`);
}

/** As compose does it, for values without another variable in their default. */
function interpolated(value: string, environment: Readonly<Record<string, string>>): string {
  const filled = value.replaceAll(
    VARIABLE,
    (_, name: string, kind?: string, word = '') => environment[name] ?? (kind === '-' ? String(word) : ''),
  );
  return filled.replaceAll('$$', '$');
}

describe('docker-compose.yml', () => {
  it.each(['docker-compose.yml', 'server/tools/stack/docker-compose.stack.yml'])(
    '%s is as the Compose specification has it',
    (file) => expect(faultsOf(read(file))).toEqual([]),
  );

  it('the specification would notice what is none of it', () => {
    expect(faultsOf(text.replaceAll('healthcheck:', 'health_check:'))).not.toEqual([]);
    expect(faultsOf(text.replaceAll('interval: 10s', 'interval: [10]'))).not.toEqual([]);
    expect(faultsOf(text.replace('ip_range', 'ip-range'))).not.toEqual([]);
  });

  it('has the parts of production, each with limits and a health check', () => {
    expect(Object.keys(services).sort()).toEqual(
      [
        ...['gateway-1', 'gateway-2', 'worker', 'migrate', 'nginx', 'redis', 'mysql', 'kafka'],
        ...['prometheus', 'grafana', 'jaeger'],
      ].sort(),
    );
    const unwatched = Object.entries(services).filter(([, one]) => !one.healthcheck && !one.build);
    expect(unwatched.map(([name]) => name)).toEqual([]);
    // The image of ours brings its own.
    expect(read('deploy/Dockerfile')).toMatch(/^HEALTHCHECK /m);
  });

  it('every variable has a default or stands in the example, and no secret has a default', () => {
    const variables = [...text.matchAll(VARIABLE)];
    expect(variables.length).toBeGreaterThan(5);
    for (const [whole, name = '', kind] of variables) {
      if (kind !== '-') expect(Object.keys(example), whole).toContain(name);
      if (SECRET.test(name)) expect(kind, `${whole} has a default`).not.toBe('-');
    }
    const secrets = new Set(variables.map(([, name = '']) => name).filter((name) => SECRET.test(name)));
    for (const name of secrets) {
      const demanded = variables.some(([, other, kind]) => other === name && kind === '?');
      expect(demanded, `without ${name} it must not start`).toBe(true);
    }
    expect(Object.values(example).filter((value) => value !== '')).toEqual([]);
    expect(Object.keys(example).sort()).toEqual([...secrets].sort());
  });

  it('no password is written into the file', () => {
    for (const [name, { environment }] of Object.entries(services)) {
      for (const [key, value] of Object.entries(environment)) {
        if (SECRET.test(key)) expect(String(value), `${name} ${key}`).toMatch(/^\$\{[A-Z_]+:\?[^}]+\}$/);
      }
    }
    for (const [, password] of text.matchAll(/:\/\/[^:@\s]*:([^@\s]+)@/g)) expect(password).toMatch(/^\$\{/);
  });

  it('our services are given settings that the server has, and values that it takes', () => {
    const known = new Set(settingsByName.keys());
    const secrets = Object.fromEntries(
      Object.keys(example).map((name) => [name, randomBytes(24).toString('hex')]),
    );
    expect(ours.map(([name]) => name)).toEqual(['gateway-1', 'gateway-2', 'worker']);
    for (const [name, { environment }] of ours) {
      expect(
        Object.keys(environment).filter((key) => !known.has(key)),
        name,
      ).toEqual([]);
      const given = Object.entries(environment).map(([key, value]): [string, string] => [
        key,
        interpolated(String(value), secrets),
      ]);
      const config = readConfig(Object.fromEntries(given));
      expect(config.redisUrl, name).toBe(`redis://:${secrets['REDIS_PASSWORD']}@redis:6379`);
      expect([...config.roles], name).toEqual(
        name === 'worker' ? ['worker', 'scheduler'] : ['gateway', 'scheduler'],
      );
      expect(config.migrate, name).toBe('off');
      expect(config.kafkaPassword, name).toBe(secrets['KAFKA_PASSWORD']);
      expect(config.trustedProxies.has('172.30.0.1'), 'nobody but nginx is believed').toBe(false);
      // Who settles payments signs nobody in, and is reached by nobody.
      expect(config.sessionSecret.length === 0, name).toBe(name === 'worker');
      expect(config.trustedProxies.has('172.30.0.10'), name).toBe(name !== 'worker');
    }
  });

  it('tables are changed by one user, and everybody else may change rows only', () => {
    const secrets = Object.fromEntries(
      Object.keys(example).map((name) => [name, randomBytes(24).toString('hex')]),
    );
    const user = (name: string): string =>
      new URL(interpolated(String(services[name]?.environment['DATABASE_URL']), secrets)).username;
    expect(user('migrate')).toBe(services['mysql']?.environment['MYSQL_USER']);
    for (const [name] of ours) {
      expect(user(name), name).toBe('stampede');
      expect(services[name]?.depends_on['migrate']).toEqual({ condition: 'service_completed_successfully' });
    }
    expect(services['migrate']?.environment['MIGRATE']).toBe('only');
  });

  it('no service keeps rights that it does not use, and none but nginx is reached from outside', () => {
    for (const [name, one] of Object.entries(services)) {
      expect(one.cap_drop, name).toEqual(['ALL']);
      expect(one.security_opt, name).toEqual(['no-new-privileges:true']);
      // Kafka's image writes its settings beside its programs.
      expect(one.read_only, name).toBe(name !== 'kafka');
      const open = one.ports.filter((port) => !port.startsWith('127.0.0.1:'));
      expect(open.length, name).toBe(name === 'nginx' ? 1 : 0);
    }
  });

  it('nginx has an address that the gateways believe and that nobody else is given', () => {
    const [{ subnet, ip_range: range }] = networks.inside.ipam.config;
    expect([subnet, range]).toEqual(['172.30.0.0/24', '172.30.0.128/25']);
    const fixed = Object.values(services).flatMap(({ networks: all }) =>
      Array.isArray(all) ? [] : Object.values(all).map((one) => one.ipv4_address),
    );
    expect(fixed).toEqual(['172.30.0.10']);
  });

  it('every image but ours is fixed to a version, and every file and volume exists', () => {
    for (const [name, { image, build, volumes: mounts, depends_on: needs }] of Object.entries(services)) {
      if (!build) expect(image, name).toMatch(/^[a-z/]+:v?\d+\.\d+[\w.-]*$/);
      for (const mount of mounts) {
        const [source = ''] = mount.split(':', 1);
        if (source.startsWith('./'))
          expect(() => readFileSync(join(ROOT, source, ...dot(source))), mount).not.toThrow();
        else expect(Object.keys(volumes), mount).toContain(source);
      }
      for (const need of Object.keys(needs)) expect(Object.keys(services), name).toContain(need);
    }
  });

  it('nginx sends buyers to the gateways there are, and Prometheus looks at every process of ours', () => {
    const upstream = [...read('deploy/nginx/gateways.conf').matchAll(/^ +server (gateway-\d+):8083 /gm)];
    expect(upstream.map(([, name]) => name)).toEqual(['gateway-1', 'gateway-2']);
    const targets = [...read('deploy/prometheus.yml').matchAll(/'([\w-]+):9083'/g)];
    expect(targets.map(([, name]) => name)).toEqual(ours.map(([name]) => name));
  });
});

/** A folder is there if a file of it is. */
const dot = (source: string): string[] =>
  source.endsWith('provisioning')
    ? ['datasources/prometheus.yml']
    : source.endsWith('nginx')
      ? ['nginx.conf']
      : [];
