import { ConfigError } from './config-error.ts';

// Where Redis and the database are, as settings say it. No complaint and no shown address has a password.

interface ServerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

export interface RedisAddress extends ServerAddress {
  readonly db: number;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** Where a MySQL or MariaDB is, and as whom to go there. */
export interface DatabaseAddress extends ServerAddress {
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

type Problem = (given: string) => ConfigError;

const REDIS_ALLOWED =
  'redis://[user:password@]host[:port][/database], rediss:// for TLS; several of one cluster by commas';
const REDIS_PATH = /^\/?(\d{0,4})$/;
const DATABASE_ALLOWED = 'mysql://user[:password]@host[:port]/database, mysqls:// for TLS';
const DATABASE_PATH = /^\/([^/]{1,64})$/;

/** Reads the addresses of one Redis or of nodes of one cluster. Throws `ConfigError`. */
export function redisAddresses(setting: string, urls: string): readonly [RedisAddress, ...RedisAddress[]] {
  const problem = problemWith(setting, REDIS_ALLOWED);
  const [first, ...more] = urls.split(',').map((text) => {
    const { url, place } = placeOf(text.trim(), /^redis(s?):$/, 6_379, problem);
    const db = REDIS_PATH.exec(url.pathname)?.[1];
    if (db === undefined) throw problem(`the database ${JSON.stringify(url.pathname.slice(1))}`);
    const decoded = (part: string): string | undefined => {
      if (part === '') return undefined;
      try {
        return decodeURIComponent(part);
      } catch {
        throw problem('a user or password with a % that encodes nothing; % itself is written %25');
      }
    };
    return { ...place, db: Number(db), username: decoded(url.username), password: decoded(url.password) };
  });
  if (!first) throw problem('nothing');
  return [first, ...more];
}

/** Reads the address of a database. Throws `ConfigError`. */
export function databaseAddress(setting: string, text: string): DatabaseAddress {
  const problem = problemWith(setting, DATABASE_ALLOWED);
  const { url, place } = placeOf(text, /^(?:mysql|mariadb)(s?):$/, 3_306, problem);
  // A percent sign that stands for itself is a common slip in passwords, and harmless.
  const decoded = (part: string): string => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  if (url.username === '') throw problem('an address without a user');
  const database = DATABASE_PATH.exec(decoded(url.pathname))?.[1];
  if (database === undefined) throw problem('an address without a database');
  if (url.search !== '') throw problem(`an address with the options ${url.search}`);
  return { ...place, user: decoded(url.username), password: decoded(url.password), database };
}

/** An address as people may see it. */
export function shownRedis({ db, ...place }: RedisAddress): string {
  return `${shownPlace('redis', place)}${db > 0 ? `/${db}` : ''}`;
}

/** An address as people may see it. */
export function shownDatabase({ database, ...place }: DatabaseAddress): string {
  return `${shownPlace('mysql', place)}/${database}`;
}

function placeOf(text: string, protocols: RegExp, portDefault: number, problem: Problem) {
  const url = URL.parse(text);
  if (!url) throw problem(text === '' ? 'an empty address' : 'an address that is no URL');
  const [isKnown, tls] = protocols.exec(url.protocol) ?? [];
  if (isKnown === undefined) throw problem(`an address that starts with ${url.protocol}`);
  if (url.hostname === '') throw problem('an address without a host');
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return { url, place: { host, port: url.port === '' ? portDefault : Number(url.port), tls: tls === 's' } };
}

function shownPlace(protocol: string, { host, port, tls }: ServerAddress): string {
  return `${protocol}${tls ? 's' : ''}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function problemWith(setting: string, allowed: string): Problem {
  return (given) => new ConfigError([{ name: setting, given, allowed }]);
}
