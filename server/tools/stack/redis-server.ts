import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { ServerPlace, ServerRecipe } from './native-server.ts';
import { LOOPBACK } from './ports.ts';
import { majorOf, provideProgram, versionOf } from './programs.ts';
import { type Report, TaskError } from '../tasks/task.ts';

/** The scripts and the cluster commands are written for it. */
const MAJOR_MIN = 7;
const PING_WITHIN_MS = 2_000;
const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 10_000;

/**
 * Redis as Debian or the machine has it.
 * @param more what the configuration of this kind of node says besides
 * @throws TaskError if there is none and none can be installed, or if it is too old
 */
export async function redisRecipe(
  report: Report,
  more: (place: ServerPlace) => readonly string[] = ({ password }) => [`requirepass ${password}`],
): Promise<ServerRecipe> {
  const command = await provideProgram('redis-server', 'redis-server', report);
  const version = await versionOf(/v=(\d+[.\d]*)/, command, ['--version']);
  if (majorOf(version) < MAJOR_MIN) {
    throw new TaskError(`${command} is Redis ${version}; Stampede needs Redis ${MAJOR_MIN} or newer.`);
  }
  return {
    name: 'redis',
    product: `Redis ${version}`,
    portCount: 1,
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
    prepare: async (place) => ({ command, args: [writeConfig(place, more(place))] }),
    url: ({ ports, password }) => `redis://:${password}@${LOOPBACK}:${ports[0]}`,
    ping: pingRedis,
  };
}

/** Durable as in production: every write goes to the append-only file, which reaches the disk each second. */
function writeConfig({ folder, ports }: ServerPlace, more: readonly string[]): string {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const config = join(folder, 'redis.conf');
  const lines = [
    `bind ${LOOPBACK}`,
    `port ${ports[0]}`,
    `dir "${data}"`,
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    // Seats and places are the truth of a running sale: better to refuse a write than to forget one.
    'maxmemory-policy noeviction',
    // The process is known again by its command line, which Redis would otherwise rewrite.
    'set-proc-title no',
    'daemonize no',
    ...more,
  ];
  writeFileSync(config, `${lines.join('\n')}\n`, { mode: 0o600 });
  return config;
}

/** Rejects unless the process `pid` answers at the place's port with its data loaded. */
export async function pingRedis({ ports, password }: ServerPlace, pid: number): Promise<void> {
  const redis = new Redis({
    host: LOOPBACK,
    port: ports[0] ?? 0,
    password,
    lazyConnect: true,
    connectTimeout: PING_WITHIN_MS,
    commandTimeout: PING_WITHIN_MS,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  });
  // What goes wrong is told by the calls below; the event alone would end the process.
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    const info = await redis.info('server');
    if (!info.includes(`process_id:${pid}\r`)) throw new Error('another server answers at this port');
    await redis.ping();
  } finally {
    redis.disconnect();
  }
}
