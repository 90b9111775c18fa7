import { ConfigError } from './config-error.ts';

/** Where a MySQL or MariaDB is, and as whom to go there. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly tls: boolean;
}

const PORT_DEFAULT = 3_306;
const ALLOWED = 'mysql://user[:password]@host[:port]/database, mysqls:// for TLS';
const PROTOCOL = /^(mysql|mariadb)(s?):$/;
const DATABASE = /^\/([^/]{1,64})$/;

/** Reads the address of a database. Throws `ConfigError` that shows no password. */
export function databaseAddress(setting: string, text: string): DatabaseAddress {
  const problem = (given: string): ConfigError =>
    new ConfigError([{ name: setting, given, allowed: ALLOWED }]);
  const url = URL.parse(text);
  if (!url) throw problem(text === '' ? 'an empty address' : 'an address that is no URL');
  const protocol = PROTOCOL.exec(url.protocol);
  if (!protocol) throw problem(`an address that starts with ${url.protocol}`);
  if (url.hostname === '') throw problem('an address without a host');
  if (url.username === '') throw problem('an address without a user');
  const database = DATABASE.exec(decoded(url.pathname))?.[1];
  if (database === undefined) throw problem('an address without a database');
  if (url.search !== '') throw problem(`an address with the options ${url.search}`);
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? PORT_DEFAULT : Number(url.port),
    user: decoded(url.username),
    password: decoded(url.password),
    database,
    tls: protocol[2] === 's',
  };
}

/** An address as people may see it. */
export function shownDatabase({ host, port, database, tls }: DatabaseAddress): string {
  return `${tls ? 'mysqls' : 'mysql'}://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
}

/** A percent sign that stands for itself is a common slip in passwords, and harmless. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
