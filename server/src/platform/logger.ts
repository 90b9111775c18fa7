import { type DestinationStream, type Logger as PinoLogger, destination, pino, stdTimeFunctions } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type Logger = PinoLogger;

/**
 * Names under which a person could be found again. They must not reach a log at all; this net catches what a
 * careless call passes in anyway, at the top and one level down.
 */
const PERSONAL = [
  'session',
  'sessionId',
  'bearer',
  'cookie',
  'authorization',
  'address',
  'remoteAddress',
  'forwardedFor',
  'secret',
  'password',
];

const HOURS_TO_MILLISECONDS = { from: 11, to: 23 };
const STANDARD_FIELDS = new Set(['level', 'time', 'pid', 'msg', 'err']);

export interface LoggerOptions {
  readonly level: LogLevel;
  /** One readable line per record instead of JSON: for a person at a terminal. */
  readonly readable: boolean;
  /** Where lines go; standard output when absent. */
  readonly to?: DestinationStream;
}

/** Logs pino JSON, or readable lines at a terminal. Never personal data: no addresses, session ids, cookies. */
export function createLogger({
  level,
  readable,
  to = destination({ fd: 1, sync: true }),
}: LoggerOptions): Logger {
  return pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: PERSONAL.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    readable ? { write: (line: string) => to.write(readableLine(line)) } : to,
  );
}

/** `14:03:22.123 WARN  message key=value`, then the stack of an error on its own lines. */
function readableLine(json: string): string {
  const record = JSON.parse(json) as Readonly<Record<string, unknown>>;
  const time = String(record['time']).slice(HOURS_TO_MILLISECONDS.from, HOURS_TO_MILLISECONDS.to);
  const details = Object.entries(record)
    .filter(([name]) => !STANDARD_FIELDS.has(name))
    .map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const { level, msg = '', err } = record;
  return `${time} ${String(level).toUpperCase().padEnd(5)} ${String(msg)}${details.join('')}${stackOf(err)}\n`;
}

function stackOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { stack, message } = error as { stack?: unknown; message?: unknown };
  return `\n${String(stack ?? message)}`;
}
