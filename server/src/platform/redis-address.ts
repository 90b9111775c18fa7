import { ConfigError } from './config-error.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

const PORT_DEFAULT = 6_379;
const ALLOWED =
  'redis://[user:password@]host[:port][/database], rediss:// for TLS; several of one cluster by commas';
const PATH = /^\/?(\d{0,4})$/;

/** Reads the addresses of one Redis or of nodes of one cluster. Throws `ConfigError` that shows no password. */
export function redisAddresses(setting: string, urls: string): readonly [RedisAddress, ...RedisAddress[]] {
  const [first, ...more] = urls.split(',').map((url) => redisAddress(setting, url.trim()));
  if (!first) throw problem(setting, 'nothing');
  return [first, ...more];
}

/** An address as people may see it. */
export function shown({ host, port, db, tls }: RedisAddress): string {
  return `${tls ? 'rediss' : 'redis'}://${host.includes(':') ? `[${host}]` : host}:${port}${db > 0 ? `/${db}` : ''}`;
}

function redisAddress(setting: string, text: string): RedisAddress {
  const url = URL.parse(text);
  if (!url) throw problem(setting, text === '' ? 'an empty address' : 'an address that is no URL');
  const database = PATH.exec(url.pathname)?.[1];
  if (!/^rediss?:$/.test(url.protocol)) throw problem(setting, `an address that starts with ${url.protocol}`);
  if (url.hostname === '') throw problem(setting, 'an address without a host');
  if (database === undefined) throw problem(setting, `the database ${JSON.stringify(url.pathname.slice(1))}`);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORT_DEFAULT : Number(url.port),
    db: Number(database),
    tls: url.protocol === 'rediss:',
    username: decoded(setting, url.username),
    password: decoded(setting, url.password),
  };
}

function decoded(setting: string, part: string): string | undefined {
  if (part === '') return undefined;
  try {
    return decodeURIComponent(part);
  } catch {
    throw problem(setting, 'a user or password with a % that encodes nothing; % itself is written %25');
  }
}

function problem(setting: string, given: string): ConfigError {
  return new ConfigError([{ name: setting, given, allowed: ALLOWED }]);
}
