import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { ROOT } from '../../../tools/checks/child-process.ts';

/** Starting opens a database and places every seat; on a busy machine that takes its time. */
const START_DEADLINE_MS = 30_000;

/** Whatever stack the one who runs this has at hand: the journeys are the embedded defaults'. */
const EMBEDDED = { LOG_LEVEL: 'warn', REDIS_URL: '', DATABASE_URL: '', KAFKA_BROKERS: '', ROLES: '' };

export type Settings = Readonly<Record<string, string>>;

/** The server as buyers meet it: `main.ts` in a process of its own, which can be killed and started again. */
export class ServerProcess {
  readonly #settings: Settings;
  #child: ChildProcess | null = null;
  #port = 0;
  #complaints = '';

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  get url(): string {
    return `http://localhost:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Log records, which are written from warnings upwards, and whatever came on standard error. */
  get complaints(): string {
    return this.#complaints;
  }

  /** Starts and resolves when buyers can come: on any free port at first, later on the same one. */
  async start(): Promise<void> {
    // Chosen here: a port that the system chose for the server itself could not be had again right after a kill.
    this.#port ||= await freePort();
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', `${ROOT}/server/src/main.ts`],
      {
        cwd: ROOT,
        env: { ...process.env, ...EMBEDDED, ...this.#settings, PORT: String(this.#port) },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    this.#child = child;
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (said.includes(this.url)) resolve(undefined);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      this.#complaints += chunk.toString();
    });
    child.once('close', () => {
      this.#complaints += said.split('\n').filter(isLogRecord).join('\n');
    });
    child.once('close', (code) => reject(new Error(`the server ended with ${code ?? 'a signal'}:\n${said}`)));
    const tooLate = setTimeout(
      () => reject(new Error(`the server did not start:\n${said}`)),
      START_DEADLINE_MS,
    );
    await promise.finally(() => clearTimeout(tooLate));
  }

  /** Ends the process without a chance to finish anything. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }
}

const isLogRecord = (line: string): boolean => line.startsWith('{');

async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const address = probe.address();
  probe.close();
  if (typeof address !== 'object' || !address) throw new Error('the probe has no port');
  return address.port;
}
