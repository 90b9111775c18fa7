import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { kafkaRecipe } from './kafka-server.ts';
import { databaseRecipe } from './mysql-server.ts';
import { NativeProcess } from './native-process.ts';
import { NativeServer, type NativeServerOptions } from './native-server.ts';
import { redisRecipe } from './redis-server.ts';
import { PART_NAMES, type PartName, STACK_FOLDER } from './stack-environment.ts';
import type { Report } from '../tasks/task.ts';

/** How each part is provided, and where the search for its port begins. */
const PARTS = {
  redis: { provide: (report: Report) => redisRecipe(report), firstPort: 26_379 },
  mysql: { provide: databaseRecipe, firstPort: 23_306 },
  kafka: { provide: (report: Report) => kafkaRecipe(report), firstPort: 29_092 },
} as const;

export interface RunningPart {
  readonly name: PartName;
  readonly product: string;
  readonly url: string;
  readonly outcome: 'started' | 'was running';
}

/** Longer than any of them takes to end in order. */
const STOP_WITHIN_MS = 30_000;

/** A part is a server of this machine with a folder of its own, running until it is stopped. */
const placeOf = (name: PartName): Pick<NativeServerOptions, 'folder' | 'logFile' | 'lifetime'> => ({
  folder: join(STACK_FOLDER, name),
  logFile: join(STACK_FOLDER, 'logs', `${name}.log`),
  lifetime: 'machine',
});

function processOf(name: PartName): NativeProcess {
  const { folder, logFile, lifetime } = placeOf(name);
  return new NativeProcess(folder, logFile, lifetime);
}

/** Whether any part runs. */
export const isStackRunning = (): boolean => PART_NAMES.some((name) => processOf(name).isRunning());

/**
 * Brings one part up, or finds that it is.
 * @throws TaskError if it can't be had or doesn't come up
 */
export async function startPart(name: PartName, report: Report): Promise<RunningPart> {
  const { provide, firstPort } = PARTS[name];
  const password = randomBytes(18).toString('hex');
  const server = new NativeServer(await provide(report), { ...placeOf(name), firstPort, password });
  const outcome = await server.start(report);
  return { name, product: server.product, url: server.url, outcome };
}

/** @returns the process it ended, or undefined if the part did not run */
export async function stopPart(name: PartName): Promise<number | undefined> {
  const process = processOf(name);
  const pid = process.pid();
  await process.stop(STOP_WITHIN_MS);
  return pid;
}

/** Deletes a stopped part's data and its log. */
export function wipePart(name: PartName): void {
  const { folder, logFile } = placeOf(name);
  for (const path of [folder, logFile, `${logFile}.1`]) rmSync(path, { recursive: true, force: true });
}
