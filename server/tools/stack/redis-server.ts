import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { runGuarded } from './guarded-run.ts';
import type { ServerPlace, ServerRecipe } from './native-server.ts';
import { LOOPBACK } from './ports.ts';
import { provideProgram } from './provide-program.ts';
import { type Report, StackError } from './stack-error.ts';

/** The scripts and the cluster commands are written for it. */
const MAJOR_MIN = 7;
const PING_WITHIN_MS = 2_000;
const READY_WITHIN_MS = 20_000;
const STOP_WITHIN_MS = 10_000;

/** Redis as Debian or the machine has it. */
export async function redisRecipe(report: Report): Promise<ServerRecipe> {
  const { program, product } = await provideRedis(report);
  return {
    name: 'redis',
    product,
    portCount: 1,
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
    async prepare(place) {
      const config = writeRedisConfig(place, [`requirepass ${place.password}`]);
      return { command: program, args: [config] };
    },
    url: ({ ports, password }) => `redis://:${password}@${LOOPBACK}:${ports[0]}`,
    ping: pingRedis,
  };
}

/** @throws StackError if there is none and none can be installed, or if it is too old */
export async function provideRedis(
  report: Report,
): Promise<{ readonly program: string; readonly product: string }> {
  const program = await provideProgram('redis-server', 'redis-server', report);
  const { output } = await runGuarded(program, ['--version']);
  const version = /v=(\d+)[.\d]*/.exec(output);
  if (version === null) throw new StackError(`${program} --version doesn't say its version: ${output}`);
  const product = `Redis ${version[0].slice('v='.length)}`;
  if (Number(version[1]) < MAJOR_MIN) {
    throw new StackError(`${program} is ${product}; Stampede needs Redis ${MAJOR_MIN} or newer.`);
  }
  return { program, product };
}

/**
 * Durable as in production: every write goes to the append-only file, which reaches the disk each second.
 * @param more lines for this kind of node
 * @returns the file's path
 */
export function writeRedisConfig({ folder, ports }: ServerPlace, more: readonly string[]): string {
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
