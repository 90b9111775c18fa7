import { z } from 'zod';
import { AddressList } from './access/ip-address.ts';
import { ConfigError, type SettingProblem } from './platform/config-error.ts';
import { KAFKA_MECHANISMS, readKafkaBrokers } from './platform/kafka.ts';
import { LOG_LEVELS } from './platform/logger.ts';
import {
  fraction,
  integer,
  list,
  oneOf,
  optional,
  secrets,
  type Setting,
  type SettingTexts,
  text,
} from './platform/setting.ts';

const PORT_MAX = 65_535;

const addresses = (texts: SettingTexts): Setting<AddressList> =>
  list(texts, 'addresses or networks, separated by commas (10.0.0.0/8, ::1)', (all) => new AddressList(all));

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

/** Every setting of the server. Lists are separated by commas; an empty value is the same as none. */
export const settings = {
  port: integer(
    { name: 'PORT', fallback: '8083', meaning: 'Port to listen on; 0 takes any free one.' },
    0,
    PORT_MAX,
  ),
  opsPort: text(
    {
      name: 'OPS_PORT',
      fallback: '',
      meaning:
        'Port of /readyz and /metrics, for those who run it; 0 takes any free one. When not set they are on PORT, ' +
        'where a proxy must keep them from buyers.',
    },
    `a whole number, 0 to ${PORT_MAX}, or nothing`,
    z
      .string()
      .regex(/^\d*$/)
      .transform((value) => (value === '' ? null : Number(value)))
      .pipe(z.number().max(PORT_MAX).nullable()),
  ),
  // All addresses rather than 127.0.0.1: a phone in the same network, a container's port mapping and another
  // machine reach it without a setting, and nothing is served that isn't meant for buyers.
  host: text(
    {
      name: 'HOST',
      fallback: '0.0.0.0',
      meaning:
        'Address to listen on. The default is every IPv4 address; use 127.0.0.1 behind a proxy on the same ' +
        'machine, :: for IPv6 as well.',
    },
    'an address or host name of this machine',
    z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/),
  ),
  dataDir: text(
    {
      name: 'DATA_DIR',
      fallback: '.data',
      meaning: 'Folder for the embedded database and the secrets that are made once.',
    },
    'a path',
    z.string().regex(/^[^\0]+$/),
  ),
  logLevel: oneOf(
    { name: 'LOG_LEVEL', fallback: 'info', meaning: 'The least important log records written.' },
    LOG_LEVELS,
  ),
  sessionSecrets: secrets({
    name: 'SESSION_SECRET',
    fallback: '',
    meaning:
      'Keys of buyer sessions, the newest first: it signs, the older ones are still believed. Made once and kept ' +
      'in DATA_DIR when not set; set it to the same value on every node that serves the same buyers.',
  }),
  paymentSecrets: secrets({
    name: 'PAYMENT_SECRET',
    fallback: '',
    meaning:
      'Keys that seal accepted payments on their way from gateways to workers, the newest first. Made once and ' +
      'kept in DATA_DIR when not set; with KAFKA_BROKERS it must be set, the same for every gateway, worker and ' +
      'scheduler.',
  }),
  allowedOrigins: list(
    {
      name: 'ALLOWED_ORIGINS',
      fallback: '',
      meaning:
        'Origins whose pages may open sessions and sockets. When not set: pages of the host they were asked from.',
    },
    'origins, separated by commas (https://tickets.example)',
    readOrigins,
  ),
  trustedProxies: addresses({
    name: 'TRUSTED_PROXIES',
    fallback: '',
    meaning: 'Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.',
  }),
  httpCallsPerMinute: integer(
    {
      name: 'HTTP_CALLS_PER_MINUTE',
      fallback: '100',
      meaning: 'New sessions per address (IPv6: per /64) and minute. Who comes back has one already.',
    },
    1,
    1_000_000,
  ),
  sessionsPerHour: integer(
    { name: 'SESSIONS_PER_HOUR', fallback: '1000', meaning: 'New sessions per address and hour.' },
    1,
    10_000_000,
  ),
  httpReadsPerMinute: integer(
    {
      name: 'HTTP_READS_PER_MINUTE',
      fallback: '6000',
      meaning: 'Calls of /api of any kind per address and minute; pages and files do not count.',
    },
    1,
    10_000_000,
  ),
  socketsPerAddressMax: integer(
    {
      name: 'SOCKETS_PER_ADDRESS_MAX',
      fallback: '2000',
      meaning:
        'Open sockets per address (IPv6: per /64). Whole companies and mobile networks share one address.',
    },
    1,
    1_000_000,
  ),
  socketsPerHour: integer(
    {
      name: 'SOCKETS_PER_HOUR',
      fallback: '20000',
      meaning: 'Sockets opened per address and hour; each of those open may come back several times.',
    },
    1,
    10_000_000,
  ),
  unlimitedAddresses: addresses({
    name: 'UNLIMITED_ADDRESSES',
    fallback: '',
    meaning: 'Callers without limits per address: load generators, monitoring.',
  }),
  seatsHeldPerAddressPercent: integer(
    {
      name: 'SEATS_HELD_PER_ADDRESS_PERCENT',
      fallback: '10',
      meaning:
        'Share of a show that buyers of one address (IPv6: per /64) may hold at once; never below 40 seats.',
    },
    1,
    100,
  ),
  queueMax: integer(
    { name: 'QUEUE_MAX', fallback: '500000', meaning: 'Places in the waiting room of one show.' },
    1,
    10_000_000,
  ),
  placesPerNetworkMax: integer(
    {
      name: 'PLACES_PER_NETWORK_MAX',
      fallback: '1000',
      meaning:
        'Places and admissions of one show per address (IPv6: per /64). Whole companies and mobile networks share ' +
        'one address.',
    },
    1,
    10_000_000,
  ),
  waitingGraceSeconds: integer(
    {
      name: 'WAITING_GRACE_SECONDS',
      fallback: '120',
      meaning: 'How long a place or an admission outlives the last socket of its buyer.',
    },
    1,
    86_400,
  ),
  claimSeconds: integer(
    {
      name: 'CLAIM_SECONDS',
      fallback: '30',
      meaning: 'How long an admission given to an absent buyer waits for them.',
    },
    1,
    3_600,
  ),
  paymentDelayMinMs: integer(
    {
      name: 'PAYMENT_DELAY_MIN_MS',
      fallback: '400',
      meaning: 'Shortest answer time of the simulated payment gateway.',
    },
    0,
    60_000,
  ),
  paymentDelayMaxMs: integer(
    {
      name: 'PAYMENT_DELAY_MAX_MS',
      fallback: '2500',
      meaning: 'Longest answer time of the simulated payment gateway.',
    },
    0,
    60_000,
  ),
  paymentSuccessRate: fraction({
    name: 'PAYMENT_SUCCESS_RATE',
    fallback: '0.8',
    meaning: 'Share of orders that the simulated payment gateway accepts.',
  }),
  redisUrl: optional({
    name: 'REDIS_URL',
    fallback: '',
    meaning:
      'Redis for seats, places and their feed: redis://user:password@host:port, several addresses of one cluster ' +
      'separated by commas. When not set: kept in this process.',
  }),
  databaseUrl: optional({
    name: 'DATABASE_URL',
    fallback: '',
    meaning:
      'MySQL or MariaDB for shows, orders and tickets: mysql://user:password@host:port/database. When not set: an ' +
      'embedded database in DATA_DIR.',
  }),
  migrate: oneOf(
    {
      name: 'MIGRATE',
      fallback: 'on',
      meaning:
        'Whether this process brings the tables of DATABASE_URL up to date when it starts. off: it waits until ' +
        'another has, and its user needs no right to change tables. only: it does that and ends.',
    },
    ['on', 'off', 'only'],
  ),
  kafkaBrokers: list(
    {
      name: 'KAFKA_BROKERS',
      fallback: '',
      meaning:
        'Kafka for accepted payments: brokers of one cluster, separated by commas. When not set: a table of the ' +
        'database, which one worker at a time may consume.',
    },
    'host:port, separated by commas',
    readKafkaBrokers,
  ),
  kafkaTls: oneOf(
    { name: 'KAFKA_TLS', fallback: 'off', meaning: 'Whether the brokers are spoken to by TLS.' },
    ['on', 'off'],
  ),
  kafkaMechanism: oneOf(
    {
      name: 'KAFKA_MECHANISM',
      fallback: KAFKA_MECHANISMS[0],
      meaning: 'How the brokers ask for the password.',
    },
    KAFKA_MECHANISMS,
  ),
  kafkaUsername: optional({
    name: 'KAFKA_USERNAME',
    fallback: '',
    meaning: 'User of the brokers, where they ask for one.',
  }),
  kafkaPassword: optional({ name: 'KAFKA_PASSWORD', fallback: '', meaning: "That user's password." }),
  kafkaTopicPrefix: text(
    {
      name: 'KAFKA_TOPIC_PREFIX',
      fallback: '',
      meaning: 'Goes before the names of topics and groups, so that several installations share one cluster.',
    },
    'letters, digits, dots, hyphens and underscores',
    z.string().regex(/^[A-Za-z0-9._-]{0,100}$/),
  ),
  roles: list(
    {
      name: 'ROLES',
      fallback: ROLES.join(','),
      meaning:
        'What this process does: gateway serves buyers, worker settles payments, scheduler lets people in and ends ' +
        'what ran out. Any number of processes may have each; more than one process needs REDIS_URL, DATABASE_URL ' +
        'and KAFKA_BROKERS.',
    },
    `one or more of ${ROLES.join(', ')}, separated by commas`,
    readRoles,
  ),
  demo: oneOf(
    { name: 'DEMO', fallback: 'on', meaning: 'Whether an empty catalogue is filled with demo shows.' },
    ['on', 'off'],
  ),
} satisfies Record<string, Setting<unknown>>;

type SettingKey = keyof typeof settings;

/** Every setting's value, under its name in code. */
export type Config = {
  readonly [Key in SettingKey]: (typeof settings)[Key] extends Setting<infer T> ? T : never;
};

/**
 * Reads every setting from the environment, once. Throws `ConfigError` that lists each bad setting by name, what was
 * given (never a secret) and what is allowed.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const problems: SettingProblem[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of Object.entries<Setting<unknown>>(settings)) {
    const given = environment[setting.name]?.trim() ?? '';
    const parsed = setting.schema.safeParse(given === '' ? setting.fallback : given);
    if (parsed.success) values[key] = parsed.data;
    else problems.push(problemOf(setting, given));
  }
  // Every key of the table was read or is a problem, which the types can't see through the loop.
  const config = values as Config;
  if (problems.length === 0 && config.paymentDelayMinMs > config.paymentDelayMaxMs) {
    const { name, allowed } = settings.paymentDelayMinMs;
    const most = `at most ${settings.paymentDelayMaxMs.name}, which is ${config.paymentDelayMaxMs}`;
    problems.push({ name, given: String(config.paymentDelayMinMs), allowed: `${allowed}, and ${most}` });
  }
  if (problems.length === 0) problems.push(...rolesProblem(config), ...paymentSecretProblem(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/**
 * A process that leaves a role to others must meet them somewhere: with a part of its own it would take payments that
 * no worker ever sees [P2], or let people into a sale that nobody else knows of.
 */
function rolesProblem({ roles, redisUrl, databaseUrl, kafkaBrokers }: Config): readonly SettingProblem[] {
  const missing = [
    ...(redisUrl === null ? [settings.redisUrl.name] : []),
    ...(databaseUrl === null ? [settings.databaseUrl.name] : []),
    ...(kafkaBrokers.length === 0 ? [settings.kafkaBrokers.name] : []),
  ];
  if (roles.size === ROLES.length || missing.length === 0) return [];
  const allowed = `all of ${ROLES.join(',')}, or fewer with ${missing.join(' and ')} set`;
  return [{ name: settings.roles.name, given: JSON.stringify([...roles].join(',')), allowed }];
}

/** What one process sealed with a secret of its own, the workers of others would take for forged [P2]. */
function paymentSecretProblem({ kafkaBrokers, paymentSecrets }: Config): readonly SettingProblem[] {
  if (kafkaBrokers.length === 0 || paymentSecrets.length > 0) return [];
  const setting = settings.paymentSecrets;
  const { given, allowed } = problemOf(setting, '');
  return [{ name: setting.name, given, allowed: `${allowed}; the same everywhere, with KAFKA_BROKERS` }];
}

function problemOf({ name, allowed, secret }: Setting<unknown>, given: string): SettingProblem {
  return { name, given: secret ? `a value of ${given.length} characters` : JSON.stringify(given), allowed };
}

/**
 * The settings as a Markdown table for the README; a test compares the two.
 * @internal
 */
export function settingsTable(): string {
  const rows = Object.values<Setting<unknown>>(settings).map(
    ({ name, fallback, meaning, allowed }) =>
      `| \`${name}\` | ${fallback && `\`${fallback}\``} | ${meaning} | ${allowed} |`,
  );
  return ['| setting | default | meaning | allowed |', '|---|---|---|---|', ...rows].join('\n');
}
