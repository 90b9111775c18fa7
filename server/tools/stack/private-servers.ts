import { randomBytes, randomInt } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../checks/child-process.ts';
import { type KafkaAccount, kafkaRecipe } from './kafka-server.ts';
import { databaseRecipe, mariadbRecipe } from './mysql-server.ts';
import { isAlive, NativeProcess } from './native-process.ts';
import { NativeServer, type ServerRecipe } from './native-server.ts';
import { PORT_MAX } from './ports.ts';
import { redisRecipe } from './redis-server.ts';
import type { Report } from '../tasks/task.ts';

const PARENT = join(ROOT, '.stack', 'test');
/** Wide, so that runs side by side rarely look at the same port. */
const PORTS_FROM = 10_000;
const PORTS_LEFT = 1_000;

const silent: Report = () => undefined;

/**
 * Servers of the caller's own, empty, on free ports of loopback, from the moment these resolve. They end with the
 * process that started them, even if it is killed; `remove` ends them and deletes their data. Their programs are
 * provided first (minutes when nothing is cached yet; `report` hears of it).
 * @throws TaskError if a program can't be had or doesn't come up
 */
export const startRedis = (report = silent): Promise<NativeServer> => startPrivately(redisRecipe, report);
export const startMariadb = (report = silent): Promise<NativeServer> => startPrivately(mariadbRecipe, report);
/** MySQL where it can be had, else MariaDB: `product` tells. */
export const startDatabase = (report = silent): Promise<NativeServer> =>
  startPrivately(databaseRecipe, report);
/** @param account who alone may use it; null: anybody */
export const startKafka = (report = silent, account: KafkaAccount | null = null): Promise<NativeServer> =>
  startPrivately((told) => kafkaRecipe(told, account), report);

async function startPrivately(
  provide: (report: Report) => Promise<ServerRecipe>,
  report: Report,
): Promise<NativeServer> {
  await (swept ??= sweep());
  const server = newPrivateServer(await provide(report));
  await server.start(report);
  return server;
}

/** A server with a folder of its own, not started yet; it looks for free ports from `firstPort` on. */
export function newPrivateServer(
  recipe: ServerRecipe,
  firstPort = randomInt(PORTS_FROM, PORT_MAX - PORTS_LEFT),
): NativeServer {
  mkdirSync(PARENT, { recursive: true });
  const folder = mkdtempSync(join(PARENT, `${process.pid}-${recipe.name}-`));
  // A database server that gives up root's rights must still find its data inside.
  chmodSync(folder, 0o755);
  return new NativeServer(recipe, {
    folder,
    logFile: join(folder, 'log'),
    lifetime: 'owner',
    firstPort,
    password: randomBytes(18).toString('hex'),
  });
}

/** Once per process is enough. */
let swept: Promise<void> | undefined;

/** Deletes what processes that were killed left behind. */
async function sweep(): Promise<void> {
  mkdirSync(PARENT, { recursive: true });
  for (const name of readdirSync(PARENT)) {
    if (isAlive(Number.parseInt(name, 10))) continue;
    const folder = join(PARENT, name);
    await new NativeProcess(folder, join(folder, 'log'), 'owner').kill();
    rmSync(folder, { recursive: true, force: true });
  }
}
