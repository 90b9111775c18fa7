import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { type Launch, type Lifetime, NativeProcess } from './native-process.ts';
import { arePortsFree, findFreePorts } from './ports.ts';
import { waitUntil } from './wait-until.ts';
import { type Report, TaskError } from '../tasks/task.ts';

const serverPlace = z.object({ ports: z.array(z.number().int()), password: z.string() });

/** Where one server lives. Kept in its folder, so that it comes back under the same address. */
export interface ServerPlace {
  readonly folder: string;
  readonly ports: readonly number[];
  readonly password: string;
}

/** One kind of server, its program found: how to run it in a place and how to tell that it serves. */
export interface ServerRecipe {
  /** Names its folder and its log. */
  readonly name: string;
  /** The product with its version, as people call it: "MySQL 9.7.4". */
  readonly product: string;
  readonly portCount: number;
  readonly readyWithinMs: number;
  readonly stopWithinMs: number;
  /** Makes configuration and data ready, whatever an earlier try left behind. */
  prepare(place: ServerPlace): Promise<Launch>;
  /** What a client connects with. */
  url(place: ServerPlace): string;
  /** Rejects, within a few seconds, unless this very server (not another at its port) serves requests. */
  ping(place: ServerPlace, pid: number): Promise<void>;
}

export interface NativeServerOptions {
  readonly folder: string;
  readonly logFile: string;
  readonly lifetime: Lifetime;
  /** Where the search for free ports begins when it has none yet or lost them. */
  readonly firstPort: number;
  readonly password: string;
}

/** Losing a port to someone else between looking and listening happens; again and again it is another trouble. */
const START_TRIES = 3;

/** A real server run from a folder of its own, without touching what the machine runs otherwise. */
export class NativeServer {
  readonly #recipe: ServerRecipe;
  readonly #options: NativeServerOptions;
  readonly #process: NativeProcess;
  #place: ServerPlace;

  constructor(recipe: ServerRecipe, options: NativeServerOptions) {
    this.#recipe = recipe;
    this.#options = options;
    this.#process = new NativeProcess(options.folder, options.logFile, options.lifetime);
    this.#place = readPlace(options);
  }

  /** The product with its version. */
  get product(): string {
    return this.#recipe.product;
  }

  /** What a client connects with; known once it has started, and the same after a restart. */
  get url(): string {
    return this.#recipe.url(this.#place);
  }

  /** The first is the one that clients use. */
  get ports(): readonly number[] {
    return this.#place.ports;
  }

  get pid(): number | undefined {
    return this.#process.pid();
  }

  /**
   * Returns when it serves. One that runs already is left as it is, unless it doesn't answer.
   * @returns whether it had to be started
   * @throws TaskError with the end of its log if it doesn't come up in time
   */
  async start(report: Report = () => undefined): Promise<'started' | 'was running'> {
    if (this.#process.isRunning()) {
      if ((await this.#becomeReady()) === 'ready') return 'was running';
      report('runs but does not answer; restarting');
      await this.stop();
    }
    for (let triesLeft = START_TRIES - 1; ; triesLeft--) {
      await this.#takePorts(report);
      const launch = await this.#recipe.prepare(this.#place);
      report('starting');
      this.#process.start(launch);
      const result = (await this.#process.isRecorded()) ? await this.#becomeReady() : 'ended';
      if (result === 'ready') return 'started';
      await this.kill();
      const lostPort = result === 'ended' && !(await arePortsFree(this.#place.ports));
      if (!lostPort || triesLeft === 0) throw this.#failure(result);
    }
  }

  /** Lets it end in order; its data stays, and `start` brings it back. */
  async stop(): Promise<void> {
    await this.#process.stop(this.#recipe.stopWithinMs);
  }

  /** Ends it like a crash. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** From now on it keeps its connections and answers nothing, until `resume`. */
  pause(): void {
    this.#process.pause();
  }

  resume(): void {
    this.#process.resume();
  }

  /** Ends it and deletes its data. */
  async remove(): Promise<void> {
    await this.#process.kill();
    rmSync(this.#options.folder, { recursive: true, force: true });
  }

  async #becomeReady(): Promise<'ready' | 'ended' | 'late'> {
    let result: 'ready' | 'ended' | 'late' = 'late';
    const isSettled = async (): Promise<boolean> => {
      const pid = this.#process.pid();
      if (pid === undefined) {
        result = 'ended';
        return true;
      }
      try {
        await this.#recipe.ping(this.#place, pid);
        result = 'ready';
        return true;
      } catch {
        return false;
      }
    };
    await waitUntil(isSettled, this.#recipe.readyWithinMs);
    return result;
  }

  async #takePorts(report: Report): Promise<void> {
    const { ports } = this.#place;
    if (ports.length === this.#recipe.portCount && (await arePortsFree(ports))) return;
    if (ports.length > 0) report(`port ${ports.join(' or ')} is taken by someone else; looking for another`);
    const found = await findFreePorts(this.#recipe.portCount, this.#options.firstPort);
    this.#place = { ...this.#place, ports: found };
    writePlace(this.#place);
  }

  #failure(result: 'ended' | 'late'): TaskError {
    const { name, product, readyWithinMs } = this.#recipe;
    const late = `did not answer within ${readyWithinMs / 1000} s`;
    const what = result === 'late' ? late : 'ended before it answered';
    const tail = this.#process.logTail().replaceAll(/^/gm, '  | ');
    return new TaskError(
      `${name}: ${product} ${what}. The end of its log, ${this.#options.logFile}:\n${tail}`,
    );
  }
}

const placeFile = (folder: string): string => join(folder, 'place.json');

function readPlace({ folder, password }: NativeServerOptions): ServerPlace {
  if (!existsSync(placeFile(folder))) return { folder, ports: [], password };
  const parsed = serverPlace.safeParse(JSON.parse(readFileSync(placeFile(folder), 'utf8')));
  if (parsed.success) return { folder, ...parsed.data };
  throw new TaskError(`${placeFile(folder)} isn't what was written there. Delete ${folder} and try again.`);
}

function writePlace({ folder, ports, password }: ServerPlace): void {
  mkdirSync(folder, { recursive: true });
  const draft = `${placeFile(folder)}.new`;
  writeFileSync(draft, JSON.stringify({ ports, password }), { mode: 0o600 });
  renameSync(draft, placeFile(folder));
}
