import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from '../../tools/checks/child-process.ts';
import { SqlCatalogStore } from '../../src/catalog/sql-catalog-store.ts';
import { openSqliteDatabase } from '../../src/platform/database-sqlite.ts';
import { allTables } from '../contracts/test-database.ts';
import { addShows } from './app-stand.ts';
import type { StandShow } from './app-stand-show.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const START_DEADLINE_MS = 20_000;
/** Of Linux' `/proc`, on every machine. */
const CLOCK_TICKS_PER_SECOND = 100;
const IS_SELLING = /Stampede is selling/;

export type Settings = Readonly<Record<string, string>>;

export interface Ended {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly output: string;
}

/** The server as its operator runs it: a process of its own, which can be asked to stop and can be killed. */
export class ServerProcess {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  #output = '';

  /** `settings` are all that it is told; nothing of this process' own settings reaches it. */
  constructor(settings: Settings, { openFilesMax }: { readonly openFilesMax?: number } = {}) {
    const program = [process.execPath, '--disable-warning=ExperimentalWarning', MAIN];
    const limited = ['sh', '-c', `ulimit -n ${openFilesMax ?? 0} && exec "$0" "$@"`, ...program];
    const [command = '', ...options] = openFilesMax === undefined ? program : limited;
    this.#child = spawn(command, options, {
      env: bareEnvironment(settings),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer): void => {
      this.#output += chunk.toString();
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.ended = once(this.#child, 'close').then(() => ({
      code: this.#child.exitCode,
      output: this.#output,
    }));
  }

  /** Files and sockets that it has open. */
  openFiles(): number {
    return this.#descriptors().length;
  }

  /** Of its open files those that are sockets: a database's journal comes and goes as it likes. */
  openSockets(): number {
    return this.#descriptors().filter((file) => file.startsWith('socket:')).length;
  }

  #descriptors(): string[] {
    const folder = `/proc/${this.#child.pid}/fd`;
    return readdirSync(folder).flatMap((name) => {
      try {
        return [readlinkSync(join(folder, name))];
      } catch {
        return []; // Closed since the folder was listed.
      }
    });
  }

  /** What it has had of one core so far. */
  cpuSeconds(): number {
    const [user = 0, system = 0] = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13)
      .map(Number);
    return (user + system) / CLOCK_TICKS_PER_SECOND;
  }

  /** All that it has printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when it sells. Rejects with what it printed if it ends or takes too long. */
  async selling(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const look = (): void => {
      if (IS_SELLING.test(this.#output)) resolve(undefined);
    };
    const timer = setTimeout(() => reject(new Error(`it did not start: ${this.#output}`)), START_DEADLINE_MS);
    this.#child.stdout?.on('data', look);
    void this.ended.then(({ output }) => reject(new Error(`it ended: ${output}`)));
    look();
    await promise.finally(() => clearTimeout(timer));
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to stop, as an operator does. */
  stop(signal: 'SIGTERM' | 'SIGINT' = 'SIGTERM'): Promise<Ended> {
    this.#child.kill(signal);
    return this.ended;
  }
}

/** Starts a server that is expected to give up by itself. */
export function runServer(settings: Settings): Promise<Ended> {
  return new ServerProcess({ PORT: '0', HOST: '127.0.0.1', DEMO: 'off', ...settings }).ended;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  await once(probe.listen(0, '127.0.0.1'), 'listening');
  const address = probe.address();
  if (typeof address !== 'object' || !address) throw new Error('no port was given');
  probe.close();
  return address.port;
}

/** Fills the catalogue of a data folder that no server uses. */
export async function prepareShows(dataDir: string, shows: readonly StandShow[]): Promise<void> {
  const database = await openSqliteDatabase(dataDir, allTables);
  await addShows(new SqlCatalogStore(database), shows, Date.now());
  await database.close();
}
