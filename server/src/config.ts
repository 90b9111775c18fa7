import { z } from 'zod';
import { AddressList } from './access/ip-address.ts';
import { ConfigError, type SettingProblem } from './platform/config-error.ts';
import { KAFKA_MECHANISMS, readKafkaBrokers } from './platform/kafka.ts';
import { LOG_LEVELS } from './platform/logger.ts';
import { fraction, integer, list, oneOf, optional, secrets, type Setting, text } from './platform/setting.ts';

const PORT_MAX = 65_535;

const addresses = list(
  '',
  'addresses or networks, separated by commas (10.0.0.0/8, ::1)',
  (all) => new AddressList(all),
);

function readOrigins(entries: readonly string[]): readonly string[] {
  return entries.map((entry) => {
    const { origin, protocol } = new URL(entry);
    const isPlain = origin === entry.toLowerCase().replace(/\/$/, '');
    if (!isPlain || !/^https?:$/.test(protocol)) throw new Error(`${entry} is no origin`);
    return origin;
  });
}

/** What a process may do. */
export const ROLES = ['gateway', 'worker', 'scheduler'] as const;
export type Role = (typeof ROLES)[number];

function readRoles(entries: readonly string[]): ReadonlySet<Role> {
  const roles = ROLES.filter((role) => entries.includes(role));
  if (roles.length === 0 || roles.length !== new Set(entries).size) throw new Error('there is no such role');
  return new Set(roles);
}

/**
 * Every setting of the server. Its name in the environment is the one here in capitals: `opsPort` is `OPS_PORT`. Lists
 * are separated by commas; an empty value is the same as none.
 */
const settings = {
  port: integer('8083', 0, PORT_MAX).means('Port to listen on; 0 takes any free one.'),
  opsPort: text(
    '',
    `a whole number, 0 to ${PORT_MAX}, or nothing`,
    z
      .string()
      .regex(/^\d*$/)
      .transform((value) => (value === '' ? null : Number(value)))
      .pipe(z.number().max(PORT_MAX).nullable()),
  ).means(
    'Port of /readyz and /metrics, for those who run it; 0 takes any free one. When not set they are on PORT, ' +
      'where a proxy must keep them from buyers.',
  ),
  // All addresses rather than 127.0.0.1: a phone in the same network, a container's port mapping and another
  // machine reach it without a setting, and nothing is served that isn't meant for buyers.
  host: text(
    '0.0.0.0',
    'an address or host name of this machine',
    z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/),
  ).means(
    'Address to listen on. The default is every IPv4 address; use 127.0.0.1 behind a proxy on the same ' +
      'machine, :: for IPv6 as well.',
  ),
  dataDir: text('.data', 'a path', z.string().regex(/^[^\0]+$/)).means(
    'Folder for the embedded database and the secrets that are made once.',
  ),
  logLevel: oneOf('info', LOG_LEVELS).means('The least important log records written.'),
  sessionSecret: secrets.means(
    'Keys of buyer sessions, the newest first: it signs, the older ones are still believed. Made once and kept ' +
      'in DATA_DIR when not set; set it to the same value on every node that serves the same buyers.',
  ),
  paymentSecret: secrets.means(
    'Keys that seal accepted payments on their way from gateways to workers, the newest first. Made once and ' +
      'kept in DATA_DIR when not set; with KAFKA_BROKERS it must be set, the same for every gateway, worker and ' +
      'scheduler.',
  ),
  allowedOrigins: list('', 'origins, separated by commas (https://tickets.example)', readOrigins).means(
    'Origins whose pages may open sessions and sockets. When not set: pages of the host they were asked from.',
  ),
  trustedProxies: addresses.means('Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.'),
  httpCallsPerMinute: integer('100', 1, 1_000_000).means(
    'New sessions per address (IPv6: per /64) and minute. Who comes back has one already.',
  ),
  sessionsPerHour: integer('1000', 1, 10_000_000).means('New sessions per address and hour.'),
  httpReadsPerMinute: integer('6000', 1, 10_000_000).means(
    'Calls of /api of any kind per address and minute; pages and files do not count.',
  ),
  socketsPerAddressMax: integer('2000', 1, 1_000_000).means(
    'Open sockets per address (IPv6: per /64). Whole companies and mobile networks share one address.',
  ),
  socketsPerHour: integer('20000', 1, 10_000_000).means(
    'Sockets opened per address and hour; each of those open may come back several times.',
  ),
  unlimitedAddresses: addresses.means('Callers without limits per address: load generators, monitoring.'),
  seatsHeldPerAddressPercent: integer('10', 1, 100).means(
    'Share of a show that buyers of one address (IPv6: per /64) may hold at once; never below 40 seats.',
  ),
  queueMax: integer('500000', 1, 10_000_000).means('Places in the waiting room of one show.'),
  placesPerNetworkMax: integer('1000', 1, 10_000_000).means(
    'Places and admissions of one show per address (IPv6: per /64). Whole companies and mobile networks share ' +
      'one address.',
  ),
  waitingGraceSeconds: integer('120', 1, 86_400).means(
    'How long a place or an admission outlives the last socket of its buyer.',
  ),
  claimSeconds: integer('30', 1, 3_600).means(
    'How long an admission given to an absent buyer waits for them.',
  ),
  paymentDelayMinMs: integer('400', 0, 60_000).means(
    'Shortest answer time of the simulated payment gateway.',
  ),
  paymentDelayMaxMs: integer('2500', 0, 60_000).means(
    'Longest answer time of the simulated payment gateway.',
  ),
  paymentSuccessRate: fraction('0.8').means('Share of orders that the simulated payment gateway accepts.'),
  redisUrl: optional.means(
    'Redis for seats, places and their feed: redis://user:password@host:port, several addresses of one cluster ' +
      'separated by commas. When not set: kept in this process.',
  ),
  databaseUrl: optional.means(
    'MySQL or MariaDB for shows, orders and tickets: mysql://user:password@host:port/database. When not set: an ' +
      'embedded database in DATA_DIR.',
  ),
  migrate: oneOf('on', ['on', 'off', 'only']).means(
    'Whether this process brings the tables of DATABASE_URL up to date when it starts. off: it waits until ' +
      'another has, and its user needs no right to change tables. only: it does that and ends.',
  ),
  kafkaBrokers: list('', 'host:port, separated by commas', readKafkaBrokers).means(
    'Kafka for accepted payments: brokers of one cluster, separated by commas. When not set: a table of the ' +
      'database, which one worker at a time may consume.',
  ),
  kafkaTls: oneOf('off', ['on', 'off']).means('Whether the brokers are spoken to by TLS.'),
  kafkaMechanism: oneOf(KAFKA_MECHANISMS[0], KAFKA_MECHANISMS).means('How the brokers ask for the password.'),
  kafkaUsername: optional.means('User of the brokers, where they ask for one.'),
  kafkaPassword: optional.means("That user's password."),
  kafkaTopicPrefix: text(
    '',
    'letters, digits, dots, hyphens and underscores',
    z.string().regex(/^[A-Za-z0-9._-]{0,100}$/),
  ).means('Goes before the names of topics and groups, so that several installations share one cluster.'),
  roles: list(ROLES.join(','), `one or more of ${ROLES.join(', ')}, separated by commas`, readRoles).means(
    'What this process does: gateway serves buyers, worker settles payments, scheduler lets people in and ends ' +
      'what ran out. Any number of processes may have each; more than one process needs REDIS_URL, DATABASE_URL ' +
      'and KAFKA_BROKERS.',
  ),
  demo: oneOf('on', ['on', 'off']).means('Whether an empty catalogue is filled with demo shows.'),
} satisfies Record<string, Setting<unknown>>;

/** Every setting's value. */
export type Config = {
  readonly [Key in keyof typeof settings]: (typeof settings)[Key] extends Setting<infer T> ? T : never;
};

/** Every setting by its name in the environment. */
export const settingsByName: ReadonlyMap<string, Setting<unknown>> = new Map(
  Object.entries(settings).map(([key, setting]) => [nameOf(key), setting]),
);

/**
 * Reads every setting from the environment, once. Throws `ConfigError` that lists each bad setting by name, what was
 * given (never a secret) and what is allowed.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: SettingProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(settings)) {
    const name = nameOf(key);
    const given = environment[name]?.trim() ?? '';
    const parsed = setting.schema.safeParse(given === '' ? setting.fallback : given);
    values[key] = parsed.data;
    const shown = setting.secret ? `a value of ${given.length} characters` : JSON.stringify(given);
    if (!parsed.success) problems.push({ name, given: shown, allowed: setting.allowed });
  }
  // Every key of the table was read or is a problem, which the types can't see through the loop.
  const config = values as Config;
  if (problems.length === 0) problems.push(...problemsBetween(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** What no setting can know on its own. */
function problemsBetween(config: Config): readonly SettingProblem[] {
  const { paymentDelayMinMs: least, paymentDelayMaxMs: most } = config;
  if (least <= most) return [...rolesProblem(config), ...paymentSecretProblem(config)];
  const allowed = `${settings.paymentDelayMinMs.allowed}, and at most PAYMENT_DELAY_MAX_MS, which is ${most}`;
  return [{ name: 'PAYMENT_DELAY_MIN_MS', given: String(least), allowed }];
}

/**
 * A process that leaves a role to others must meet them somewhere: with a part of its own it would take payments that
 * no worker ever sees [P2], or let people into a sale that nobody else knows of.
 */
function rolesProblem({ roles, redisUrl, databaseUrl, kafkaBrokers }: Config): readonly SettingProblem[] {
  const missing = [
    ...(redisUrl === null ? ['REDIS_URL'] : []),
    ...(databaseUrl === null ? ['DATABASE_URL'] : []),
    ...(kafkaBrokers.length === 0 ? ['KAFKA_BROKERS'] : []),
  ];
  if (roles.size === ROLES.length || missing.length === 0) return [];
  const allowed = `all of ${ROLES.join(',')}, or fewer with ${missing.join(' and ')} set`;
  return [{ name: 'ROLES', given: JSON.stringify([...roles].join(',')), allowed }];
}

/** What one process sealed with a secret of its own, the workers of others would take for forged [P2]. */
function paymentSecretProblem({ kafkaBrokers, paymentSecret }: Config): readonly SettingProblem[] {
  if (kafkaBrokers.length === 0 || paymentSecret.length > 0) return [];
  const allowed = `${settings.paymentSecret.allowed}; the same everywhere, with KAFKA_BROKERS`;
  return [{ name: 'PAYMENT_SECRET', given: 'a value of 0 characters', allowed }];
}

function nameOf(key: string): string {
  return key.replace(/[A-Z]/g, (capital) => `_${capital}`).toUpperCase();
}

/**
 * The settings as a Markdown table for the README; a test compares the two.
 * @internal
 */
export function settingsTable(): string {
  const rows = [...settingsByName].map(
    ([name, { fallback, meaning, allowed }]) =>
      `| \`${name}\` | ${fallback && `\`${fallback}\``} | ${meaning} | ${allowed} |`,
  );
  return ['| setting | default | meaning | allowed |', '|---|---|---|---|', ...rows].join('\n');
}
