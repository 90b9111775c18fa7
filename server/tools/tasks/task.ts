import { parseArgs, type ParseArgsConfig } from 'node:util';
import { ConfigError } from '../../src/platform/config-error.ts';
import { DatabaseError } from '../../src/platform/database.ts';

/**
 * Something that the caller of a task can mend: its message says what is wrong, in a line that names the option, the
 * file, the part or the address, and what to do about it.
 */
export class TaskError extends Error {
  override readonly name = 'TaskError';
}

/** Hears in short words what is being done, for the one who waits. */
export type Report = (message: string) => void;

/** The exit code of a task that could not do what it was asked to. */
const EXIT_CANNOT = 2;

/**
 * Runs a task to its exit code, which is that of the process then. What the caller can mend is told on standard error;
 * anything else is a mistake of ours and shows where.
 */
export async function runTask(
  task: () => Promise<number | undefined>,
  exitCannot = EXIT_CANNOT,
): Promise<void> {
  try {
    const code = await task();
    if (code !== undefined) process.exitCode = code;
  } catch (cause) {
    process.stderr.write(`${wordsOf(cause)}\n`);
    process.exitCode = exitCannot;
  }
}

/** What the caller is told, a line for each thing to mend. Throws what only we can mend. */
function wordsOf(cause: unknown): string {
  if (cause instanceof TaskError || cause instanceof DatabaseError) return cause.message;
  if (!(cause instanceof ConfigError)) throw cause;
  return cause.problems
    .map(({ name, given, allowed }) => `${name}: ${given}; allowed: ${allowed}`)
    .join('\n');
}

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true }>>;

/**
 * Reads a command line.
 * @param hint what is said after what can't be read
 * @throws TaskError naming the first argument that can't be read
 */
export function readOptions<const T extends Options>(
  args: readonly string[],
  options: T,
  { positionals = false, hint = 'See --help.' } = {},
): Parsed<T> {
  try {
    const config = { args: [...args], options, allowPositionals: positionals };
    return parseArgs<typeof config>(config);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TaskError(`${message.split(/\n|\. /, 1)[0] ?? message}. ${hint}`, { cause });
  }
}

/** @throws TaskError unless it is a whole number within these bounds */
export function wholeNumber(name: string, text: string, min: number, max: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max)) throw notAllowed(name, text, `a whole number, ${min} to ${max}`);
  return value;
}

export function notAllowed(name: string, given: string, allowed: string): TaskError {
  return new TaskError(`${name}: ${JSON.stringify(given)} can't be used; allowed: ${allowed}.`);
}

/** How often a log gets a line of progress; a terminal's line is renewed each time. */
const LOG_INTERVAL_MS = 3_000;
const CLEAR_LINE = '\r\u001b[2K';

/** One line that says how far a task is; `end` leaves the stream at the start of a line. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  #nextAt = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(line: string): void {
    if (this.#stream.isTTY) {
      this.#stream.write(`${CLEAR_LINE}${line.slice(0, this.#stream.columns - 1)}`);
    } else if (performance.now() >= this.#nextAt) {
      this.#nextAt = performance.now() + LOG_INTERVAL_MS;
      this.#stream.write(`${line}\n`);
    }
  }

  end(): void {
    this.#nextAt = 0;
    if (this.#stream.isTTY) this.#stream.write(CLEAR_LINE);
  }
}
