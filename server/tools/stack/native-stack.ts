import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { databaseRecipe } from './database-server.ts';
import { kafkaRecipe } from './kafka-server.ts';
import { NativeProcess } from './native-process.ts';
import { NativeServer, type ServerRecipe } from './native-server.ts';
import { redisRecipe } from './redis-server.ts';
import type { Report } from './stack-error.ts';

/** The three outside parts of a sale, and where the search for a port of each begins. */
const PARTS = [
  { name: 'redis', provide: redisRecipe, firstPort: 26_379 },
  { name: 'mysql', provide: databaseRecipe, firstPort: 23_306 },
  { name: 'kafka', provide: kafkaRecipe, firstPort: 29_092 },
] as const satisfies readonly {
  name: string;
  provide: (report: Report) => Promise<ServerRecipe>;
  firstPort: number;
}[];

export type PartName = (typeof PARTS)[number]['name'];
export const PART_NAMES: readonly PartName[] = PARTS.map(({ name }) => name);

export interface RunningPart {
  readonly name: PartName;
  readonly product: string;
  readonly url: string;
  readonly outcome: 'started' | 'was running';
}

/** Longer than any of them takes to end in order. */
const STOP_WITHIN_MS = 30_000;

/** The stack as servers of this machine, each in its folder of `folder`, running until they are stopped. */
export class NativeStack {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether any part runs. */
  isRunning(): boolean {
    return PART_NAMES.some((name) => this.#process(name).isRunning());
  }

  /**
   * Brings one part up, or finds that it is.
   * @throws StackError if it can't be had or doesn't come up
   */
  async start(name: PartName, report: Report): Promise<RunningPart> {
    const part = PARTS.find((one) => one.name === name);
    if (part === undefined) throw new Error(`The stack has no part ${name}.`);
    const server = new NativeServer(await part.provide(report), {
      folder: join(this.#folder, name),
      logFile: this.#logFile(name),
      lifetime: 'machine',
      firstPort: part.firstPort,
      password: randomBytes(18).toString('hex'),
    });
    const outcome = await server.start(report);
    return { name, product: server.product, url: server.url, outcome };
  }

  /** @returns the process it ended, or undefined if the part did not run */
  async stop(name: PartName): Promise<number | undefined> {
    const process = this.#process(name);
    const pid = process.pid();
    await process.stop(STOP_WITHIN_MS);
    return pid;
  }

  /** Deletes a stopped part's data and its log. */
  wipe(name: PartName): void {
    rmSync(join(this.#folder, name), { recursive: true, force: true });
    for (const suffix of ['', '.1']) rmSync(`${this.#logFile(name)}${suffix}`, { force: true });
  }

  #process(name: PartName): NativeProcess {
    return new NativeProcess(join(this.#folder, name), this.#logFile(name), 'machine');
  }

  #logFile(name: PartName): string {
    return join(this.#folder, 'logs', `${name}.log`);
  }
}
