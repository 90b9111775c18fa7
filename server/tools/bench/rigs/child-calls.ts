import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { BenchError } from '../bench-error.ts';

/** What a child process does for us: methods by name. Arguments and answers travel as JSON. */
type Handlers = Readonly<Record<string, (argument: never) => unknown>>;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer = { readonly id: number } & ({ readonly value: unknown } | { readonly error: string });

type Argument<F> = F extends (argument: infer A) => unknown ? A : never;
type Result<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

const ENDS_WITHIN_MS = 5_000;

/** In the child: answers the calls of the process that started it, and ends with it. */
export function serveCalls(handlers: Handlers): void {
  process.on('message', (call: Call) => void answer(handlers, call));
  process.on('disconnect', () => process.exit(0));
  // A terminal's Ctrl-C reaches the whole group; this process ends when its starter lets go of it.
  process.on('SIGINT', () => undefined);
}

async function answer(handlers: Handlers, { id, name, argument }: Call): Promise<void> {
  const reply = (answered: Answer): void => void process.send?.(answered);
  try {
    const handler = handlers[name];
    if (!handler) throw new Error(`there is no call ${name}`);
    // The caller's type is the table of these handlers, so its argument is the handler's.
    reply({ id, value: (await handler(argument as never)) ?? null });
  } catch (cause) {
    reply({ id, error: cause instanceof Error ? cause.message : String(cause) });
  }
}

/** In the parent: a child process, and calls to it. */
export class ChildCalls<Table extends Handlers> {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #name: string;
  #lastId = 0;

  /** @param file the child's module, which calls `serveCalls` */
  constructor(file: URL, name: string, environment: Readonly<Record<string, string>> = {}) {
    this.#name = name;
    this.#child = fork(file, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      env: { ...process.env, ...environment },
    });
    this.#child.on('message', (answered: Answer) => this.#settle(answered));
    this.#child.once('exit', (code, signal) => {
      const end = new BenchError(`${name} ended: ${signal ?? `exit code ${code}`}.`);
      for (const one of this.#waiting.values()) one.reject(end);
      this.#waiting.clear();
    });
    this.#child.once('error', (cause) => {
      for (const one of this.#waiting.values()) one.reject(cause);
    });
  }

  get pid(): number {
    const { pid } = this.#child;
    if (pid === undefined) throw new BenchError(`${this.#name} could not be started.`);
    return pid;
  }

  /** @throws BenchError with what the child said if it failed */
  async call<Name extends keyof Table & string>(
    name: Name,
    argument: Argument<Table[Name]>,
  ): Promise<Result<Table[Name]>> {
    const pending = Promise.withResolvers<unknown>();
    const id = ++this.#lastId;
    this.#waiting.set(id, pending);
    this.#child.send({ id, name, argument } satisfies Call);
    // Its type is that of the handler which `serveCalls` called under this name.
    return (await pending.promise) as Result<Table[Name]>;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), ENDS_WITHIN_MS);
    await ended;
    clearTimeout(timer);
  }

  #settle(answered: Answer): void {
    const pending = this.#waiting.get(answered.id);
    this.#waiting.delete(answered.id);
    if ('value' in answered) pending?.resolve(answered.value);
    else pending?.reject(new BenchError(`${this.#name}: ${answered.error}`));
  }
}
