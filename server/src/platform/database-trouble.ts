/** Why a database could not be used. */
export interface DatabaseTrouble {
  readonly message: string;
  /** Whether waiting may help. */
  readonly passes: boolean;
  /** What would be right, where the operator can mend it. */
  readonly allowed: string | null;
}

const KNOWN_USER = 'a user and password that the database accepts';
const KNOWN_DATABASE = 'a database that exists (create database … character set utf8mb4)';
const ENOUGH_RIGHTS = 'a user who may create and change tables in the database';

/** By error number of the server; waiting helps with none of them. */
const LASTING: ReadonlyMap<unknown, string> = new Map([
  [1_045, KNOWN_USER],
  [1_698, KNOWN_USER],
  [1_251, KNOWN_USER],
  [1_044, 'a user with rights on the database, and a database that exists'],
  [1_049, KNOWN_DATABASE],
  [1_142, ENOUGH_RIGHTS],
  [1_143, ENOUGH_RIGHTS],
  [1_227, ENOUGH_RIGHTS],
  [1_370, ENOUGH_RIGHTS],
]);

/** By error code of the client. */
const LASTING_OF_CLIENT: ReadonlyMap<unknown, string> = new Map([
  ['AUTH_SWITCH_PLUGIN_ERROR', KNOWN_USER],
  ['HANDSHAKE_NO_SSL_SUPPORT', 'mysql:// for a server without TLS'],
  ['HANDSHAKE_SSL_ERROR', 'mysqls:// only with a certificate that this machine trusts'],
]);

/** Too many connections, shutting down, interrupted, locks, read-only while another server takes over. */
const PASSING: ReadonlySet<unknown> = new Set([
  1_040, 1_053, 1_077, 1_079, 1_205, 1_213, 1_290, 1_317, 1_836, 1_927, 3_024,
]);

/**
 * What an error on the way to the database means. What the server itself says has an SQL state; everything else
 * happened on the way (refused, unreachable, no such host yet) and may pass.
 */
export function connectionTrouble(cause: unknown): DatabaseTrouble {
  const { errno, code, sqlState } = detailsOf(cause);
  const message = messageOf(cause);
  const allowed = LASTING.get(errno) ?? LASTING_OF_CLIENT.get(code) ?? null;
  if (allowed !== null) return { message, passes: false, allowed };
  return { message, passes: sqlState === undefined || PASSING.has(errno), allowed: null };
}

function detailsOf(cause: unknown): { errno?: unknown; code?: unknown; sqlState?: unknown } {
  return typeof cause === 'object' && cause !== null ? cause : {};
}

/** The driver puts the whole statement in front of what the server said. */
function messageOf(cause: unknown): string {
  const { sqlMessage, errors } = (typeof cause === 'object' ? cause : null) as {
    sqlMessage?: unknown;
    errors?: unknown;
  };
  if (typeof sqlMessage === 'string') return sqlMessage;
  // Node tries several addresses of a host and collects what each one said.
  if (Array.isArray(errors) && errors.length > 0) return messageOf(errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
}
