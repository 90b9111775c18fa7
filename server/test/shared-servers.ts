import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createConnection } from 'mysql2/promise';
import { inject } from 'vitest';
import { z } from 'zod';
import type { SharedServerName } from '../tools/test-stand/shared-server-names.ts';

const answer = z.object({ product: z.string(), urls: z.array(z.string()) });
const refusal = z.object({ message: z.string() });

/** A real server that all test files of a run share. Keep to databases, topics and shows of your own in it. */
export interface SharedServer {
  /** The product with its version: "MySQL 9.7.4". */
  readonly product: string;
  /** What a client connects with; for a Redis Cluster the first node's. */
  readonly url: string;
  /** Every node's. */
  readonly urls: readonly string[];
}

/** Asks for a server, which is started if no test file needed it before. */
export async function sharedServer(name: SharedServerName): Promise<SharedServer> {
  const response = await fetch(`${inject('sharedServers')}/${name}`);
  const body: unknown = await response.json();
  if (!response.ok) throw new Error(refusal.parse(body).message);
  const { product, urls } = answer.parse(body);
  return { product, url: urls[0]!, urls };
}

/** An empty database of one test file's own in a shared server; `drop` when done. */
export async function freshSharedDatabase(
  name: 'database' | 'mariadb' = 'database',
): Promise<{ readonly product: string; readonly url: string; drop(): Promise<void> }> {
  const { product, url } = await sharedServer(name);
  const database = `stampede_test_${randomBytes(6).toString('hex')}`;
  const run = async (statement: string): Promise<void> => {
    const connection = await createConnection(url);
    try {
      await connection.query(statement);
    } finally {
      await connection.end();
    }
  };
  await run(`CREATE DATABASE ${database} CHARACTER SET utf8mb4`);
  const fresh = new URL(url);
  fresh.pathname = `/${database}`;
  return { product, url: fresh.href, drop: () => run(`DROP DATABASE ${database}`) };
}

/** An empty database of one test file's own in the shared Redis: shows of every file count from 1. */
export async function freshRedisDatabase(): Promise<{ readonly product: string; readonly url: string }> {
  const { product, url } = await sharedServer('redis');
  const redis = new Redis(url, { lazyConnect: true });
  try {
    await redis.connect();
    // Numbers are given out in the first database; the server has sixteen, and refuses what lies beyond.
    const number = await redis.incr('databases-given-out');
    return { product, url: `${url}/${number}` };
  } finally {
    redis.disconnect();
  }
}
