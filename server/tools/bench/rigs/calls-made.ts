import { Redis } from 'ioredis';
import { createConnection, type RowDataPacket } from 'mysql2/promise';

/** What the servers were asked to do since they started. */
export interface CallsMade {
  readonly scripts: number;
  readonly statements: number;
  readonly commits: number;
}

const SCRIPT_CALLS = /cmdstat_(?:evalsha|eval):calls=(\d+)/g;
const COUNTERS = "show global status where Variable_name in ('Questions', 'Handler_commit')";

/** Calls of scripts since Redis started, by its own count. */
export async function scriptCalls(redisUrl: string): Promise<number> {
  const redis = new Redis(redisUrl);
  try {
    const info = await redis.info('commandstats');
    return [...info.matchAll(SCRIPT_CALLS)].reduce((sum, [, calls]) => sum + Number(calls), 0);
  } finally {
    redis.disconnect();
  }
}

/** Reads the servers' own counters: calls of scripts in Redis, statements and commits in the database. */
export async function callsMade(redisUrl: string, databaseUrl: string): Promise<CallsMade> {
  const connection = await createConnection(databaseUrl);
  try {
    const [rows] = await connection.query<RowDataPacket[]>(COUNTERS);
    const counter = (name: string): number =>
      Number(rows.find((row) => row['Variable_name'] === name)?.['Value'] ?? NaN);
    const scripts = await scriptCalls(redisUrl);
    return { scripts, statements: counter('Questions'), commits: counter('Handler_commit') };
  } finally {
    await connection.end();
  }
}
