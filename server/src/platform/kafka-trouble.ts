import { ConfigError, type SettingProblem } from './config-error.ts';

/** The settings that a connection to Kafka is made from, for messages. */
export const kafkaSettingNames = {
  brokers: 'KAFKA_BROKERS',
  tls: 'KAFKA_TLS',
  username: 'KAFKA_USERNAME',
  mechanism: 'KAFKA_MECHANISM',
} as const;

const { brokers, tls, username, mechanism } = kafkaSettingNames;

type Allowed = Pick<SettingProblem, 'name' | 'allowed'>;

/** What says that waiting can't help, the setting that can, and what is allowed for it. */
const LASTING_TROUBLES: readonly (readonly [RegExp, Allowed])[] = [
  [
    /mechanism is not supported|UNSUPPORTED_SASL_MECHANISM/i,
    { name: mechanism, allowed: 'a mechanism that the brokers offer' },
  ],
  [
    /SASLAuthentication|SASL_AUTHENTICATION_FAILED|authentication failed/i,
    { name: username, allowed: 'a user and password that Kafka accepts' },
  ],
  [/ILLEGAL_SASL_STATE/, { name: username, allowed: 'none: this listener of the broker asks for no user' }],
  [
    /AUTHORIZATION_FAILED|not authorized/i,
    { name: username, allowed: 'a user that may create, write and read the topics and use the group' },
  ],
  [
    /wrong version number|packet length too long|SSL routines/i,
    { name: tls, allowed: 'off, or a listener of the broker that speaks TLS' },
  ],
  [
    /certificate|ALTNAME/i,
    {
      name: tls,
      allowed: 'brokers with a certificate that this machine trusts (NODE_EXTRA_CA_CERTS adds an authority)',
    },
  ],
  [
    /UNSUPPORTED_VERSION|UNSUPPORTED_FOR_MESSAGE_FORMAT|KafkaJSNotImplemented/,
    { name: brokers, allowed: 'Kafka 2.1 or newer' },
  ],
  [/INVALID_TOPIC_EXCEPTION/, { name: 'KAFKA_TOPIC_PREFIX', allowed: 'letters, digits, . _ -' }],
];

/** An error of kafkajs with all that it and its causes say of themselves. */
function words(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { type, errors } = cause as { type?: unknown; errors?: unknown };
  const inner = [cause.cause, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  const own = [cause.name, typeof type === 'string' ? type : '', cause.message].join(' ');
  return [own, ...inner.filter((one) => one !== undefined && one !== cause).map(words)].join(' ');
}

/** The innermost of an error's messages: what actually happened, without "retries exceeded" around it. */
function innermost(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const { errors } = cause as { errors?: unknown };
  const [first] = Array.isArray(errors) ? (errors as unknown[]) : [];
  const inner = first ?? cause.cause;
  return inner instanceof Error && inner !== cause ? innermost(inner) : cause.message;
}

/** The broker that an error of kafkajs is about, if it says. */
function brokerOf(cause: unknown): string | null {
  if (!(cause instanceof Error)) return null;
  const { broker } = cause as { broker?: unknown };
  return typeof broker === 'string' ? broker : brokerOf(cause.cause);
}

/**
 * What is wrong between us and Kafka, in one line without secrets: a `ConfigError` where waiting can't help.
 * @param where the addresses that were tried
 */
export function explainKafkaTrouble(where: string, cause: unknown): Error {
  if (cause instanceof ConfigError) return cause;
  const said = words(cause);
  const message = innermost(cause);
  const broker = brokerOf(cause) ?? where;
  for (const [pattern, { name, allowed }] of LASTING_TROUBLES) {
    if (!pattern.test(said)) continue;
    return new ConfigError([{ name, given: `${broker} answers "${message}"`, allowed }], { cause });
  }
  if (/RequestTimeout/.test(said)) {
    return new Error(`${broker} gives no answer that a Kafka broker would give (${message})`, { cause });
  }
  if (/ConnectionClosed|Closed connection|ECONNRESET/.test(said)) {
    const hint = `does it ask for ${username} or ${tls}?`;
    return new Error(`${broker} closed the connection (${message}); ${hint}`, { cause });
  }
  if (/before secure TLS connection/.test(said)) {
    return new Error(`${broker} closed the connection (${message}); does it speak ${tls}?`, { cause });
  }
  const unreachable = where.includes(',') ? `none of ${where} can be reached` : `${broker} can't be reached`;
  return new Error(`${unreachable} (${message})`, { cause });
}
