import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { createConnection } from 'mysql2/promise';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import { openMysqlDatabase } from '../../../src/platform/database-mysql.ts';
import { waitUntil } from '../../../tools/stack/wait-until.ts';
import { allTables } from '../../contracts/test-database.ts';
import { addShows } from '../app-stand.ts';
import { type Ended, ServerProcess, type Settings } from '../../../tools/tasks/server-process.ts';
import { freePort } from '../../free-port.ts';
import type { StandShow } from '../app-stand-show.ts';
import { readBooks, type Books } from './books.ts';

/** What a condition may take on a machine that is busy with other things. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;
const HEALTH_WITHIN_MS = 2_000;

/** The outside parts that the nodes of a fleet share, as settings name them. */
export interface FleetParts {
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly kafkaBrokers: string;
}

/** Awaits a condition; rejects after `withinMs`, which nothing that ever comes takes. Returns what it took. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = PATIENCE_MS,
): Promise<number> {
  const since = performance.now();
  if (!(await waitUntil(condition, withinMs, POLL_MS))) throw new Error(`not within ${withinMs} ms: ${what}`);
  return performance.now() - since;
}

/** One process of a fleet. */
export class FleetNode {
  readonly port: number;
  readonly #process: ServerProcess;
  #isAlive = true;

  constructor(port: number, settings: Settings) {
    this.port = port;
    this.#process = new ServerProcess({ ...settings, PORT: String(port) });
    void this.#process.ended.then(() => (this.#isAlive = false));
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** All that it has printed so far. */
  get output(): string {
    return this.#process.output;
  }

  /** Resolves when all its parts answer; rejects with what it printed if it ends instead. */
  async ready(): Promise<this> {
    await until(`the node on port ${this.port} is ready`, async () => {
      if (!this.#isAlive) throw new Error(`a node ended: ${this.output}`);
      return (await this.status('/readyz')) === 200;
    });
    return this;
  }

  /** The status of an answer; 0 where there is none. */
  async status(path: string): Promise<number> {
    const address = `http://127.0.0.1:${this.port}${path}`;
    const answer = fetch(address, { signal: AbortSignal.timeout(HEALTH_WITHIN_MS) });
    return answer.then(({ status }) => status).catch(() => 0);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    await this.#process.kill();
  }

  /** Asks it to end as an operator does; returns its exit code and all it printed. */
  stop(): Promise<Ended> {
    return this.#process.stop();
  }
}

/** Processes that sell the same shows on the same outside parts, each started as its operator would. */
export class Fleet {
  readonly parts: FleetParts;
  /** Goes before the names of its topics. */
  readonly topicPrefix: string;
  readonly #settings: Settings;
  readonly #folder: string;
  readonly #nodes: FleetNode[] = [];

  private constructor(parts: FleetParts, topicPrefix: string, settings: Settings, folder: string) {
    this.parts = parts;
    this.topicPrefix = topicPrefix;
    this.#settings = settings;
    this.#folder = folder;
  }

  /** Fills the catalogue of an empty database. `settings` are those of all its nodes. */
  static async prepare(
    parts: FleetParts,
    shows: readonly StandShow[],
    settings: Settings = {},
  ): Promise<Fleet> {
    const database = await openMysqlDatabase(parts.databaseUrl, allTables, {
      clock: systemClock,
      random: systemRandom,
      onTrouble: (message) => {
        throw new Error(message);
      },
    });
    await addShows(new SqlCatalogStore(database), shows, Date.now());
    await database.close();
    const folder = await mkdtemp(join(tmpdir(), 'stampede-fleet-'));
    const secret = randomBytes(32).toString('hex');
    const topicPrefix = `fleet-${randomBytes(6).toString('hex')}.`;
    const all = {
      HOST: '127.0.0.1',
      DATA_DIR: folder,
      DEMO: 'off',
      LOG_LEVEL: 'warn',
      SESSION_SECRET: secret,
      PAYMENT_SECRET: secret,
      UNLIMITED_ADDRESSES: '127.0.0.1',
      PAYMENT_DELAY_MIN_MS: '50',
      PAYMENT_DELAY_MAX_MS: '150',
      PAYMENT_SUCCESS_RATE: '1',
      REDIS_URL: parts.redisUrl,
      DATABASE_URL: parts.databaseUrl,
      KAFKA_BROKERS: parts.kafkaBrokers,
      KAFKA_TOPIC_PREFIX: topicPrefix,
      ...settings,
    };
    return new Fleet(parts, topicPrefix, all, folder);
  }

  /** Starts a node without waiting for it. */
  async launch(roles: string, settings: Settings = {}): Promise<FleetNode> {
    const node = new FleetNode(await freePort(), { ...this.#settings, ROLES: roles, ...settings });
    this.#nodes.push(node);
    return node;
  }

  /** Starts a node and waits until it is ready. */
  async start(roles: string, settings: Settings = {}): Promise<FleetNode> {
    return (await this.launch(roles, settings)).ready();
  }

  books(): Promise<Books> {
    return readBooks(this.parts.databaseUrl);
  }

  /** Runs statements on the database as its administrator would. */
  async runSql(...statements: readonly string[]): Promise<void> {
    const connection = await createConnection(this.parts.databaseUrl);
    try {
      for (const statement of statements) await connection.query(statement);
    } finally {
      await connection.end();
    }
  }

  /** Ends every node by force. */
  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.kill()));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
