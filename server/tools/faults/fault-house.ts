import { cpSync, existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { type PrivateParts, startPrivateParts } from '../../test/faults/stack/private-parts.ts';
import { Fleet, type FleetNode } from '../../test/integration/stack/fleet.ts';
import { TcpSwitch } from '../../test/integration/stack/tcp-switch.ts';
import { type StandShow, visitedShow } from '../../test/integration/app-stand-show.ts';
import { type ShopperShow } from '../shopper/shopper.ts';

const WRONG_CLOCK = fileURLToPath(new URL('wrong-clock.mjs', import.meta.url));
const SECTION_SEATS = [1_000, 1_000, 1_000, 1_000];
const CRASH_SHOWN = 2_000;

/** Two shows with room for everybody, and one with a queue. */
function showsOf(holdLifetimeMs: number): readonly StandShow[] {
  const roomy = { seatsPerBuyer: 12, holdLifetimeMs };
  const queued = { admittedMax: 6, admissionsPerSecond: 2, admissionBurst: 2, admissionLifetimeMs: 60_000 };
  return [roomy, roomy, { ...roomy, ...queued }].map((sale) => ({ sectionSeats: SECTION_SEATS, sale }));
}

const SETTINGS = { PAYMENT_SUCCESS_RATE: '0.8', PAYMENT_DELAY_MIN_MS: '50', PAYMENT_DELAY_MAX_MS: '600' };

type Role = 'gateway' | 'worker';
const ROLES: Record<Role, string> = { gateway: 'gateway,scheduler', worker: 'worker,scheduler' };
const COUNTS: Record<Role, number> = { gateway: 3, worker: 2 };

/** A whole installation of its own, on real servers that nobody else uses, one address for its gateways. */
export class FaultHouse {
  readonly parts: PrivateParts;
  readonly shows: readonly ShopperShow[];
  readonly #fleet: Fleet;
  readonly #nodes: Record<Role, FleetNode[]> = { gateway: [], worker: [] };
  readonly #door: TcpSwitch;
  readonly #ended = new Set<FleetNode>();
  #copies = 0;

  private constructor(
    parts: PrivateParts,
    fleet: Fleet,
    door: TcpSwitch,
    gateways: FleetNode[],
    shows: number,
  ) {
    this.parts = parts;
    this.shows = Array.from({ length: shows }, (_, index) => visitedShow(index + 1, SECTION_SEATS));
    this.#fleet = fleet;
    this.#door = door;
    this.#nodes.gateway = gateways;
  }

  static async open(holdLifetimeMs: number): Promise<FaultHouse> {
    const parts = await startPrivateParts();
    const shows = showsOf(holdLifetimeMs);
    const fleet = await Fleet.prepare(parts, shows, SETTINGS);
    const gateways: FleetNode[] = [];
    const door = await TcpSwitch.open(() => gateways.filter((node) => node.isAlive).map(({ port }) => port));
    const house = new FaultHouse(parts, fleet, door, gateways, shows.length);
    try {
      await house.repair();
    } catch (cause) {
      await house.close();
      throw cause;
    }
    return house;
  }

  /** Where people open the page. */
  get port(): number {
    return this.#door.port;
  }

  nodes(role: Role): readonly FleetNode[] {
    return this.#nodes[role].filter((node) => node.isAlive);
  }

  /** The ends of what nodes printed that nobody killed. */
  get crashes(): readonly string[] {
    return [...this.#nodes.gateway, ...this.#nodes.worker]
      .filter((node) => !node.isAlive && !this.#ended.has(node))
      .map(({ output }) => output.slice(-CRASH_SHOWN));
  }

  /** kill -9. */
  async kill(node: FleetNode): Promise<void> {
    this.#ended.add(node);
    await node.kill();
  }

  /** Asks a node to end. */
  async stop(node: FleetNode): Promise<void> {
    this.#ended.add(node);
    await node.stop();
  }

  books(): ReturnType<Fleet['books']> {
    return this.#fleet.books();
  }

  /** One more node, ready or not. */
  async add(role: Role, wrongClockMs = 0): Promise<FleetNode> {
    const wrong = {
      NODE_OPTIONS: `--disable-warning=ExperimentalWarning --import ${WRONG_CLOCK}`,
      WRONG_CLOCK_MS: String(wrongClockMs),
    };
    const node = await this.#fleet.launch(ROLES[role], wrongClockMs === 0 ? {} : wrong);
    this.#nodes[role].push(node);
    return node;
  }

  /** As many nodes of each kind as there should be, all of them ready. */
  async repair(): Promise<void> {
    for (const role of ['gateway', 'worker'] as const) {
      // One after the other: starting is the hardest work that a node has.
      while (this.nodes(role).length < COUNTS[role]) await (await this.add(role)).ready();
    }
    await Promise.all([...this.nodes('gateway'), ...this.nodes('worker')].map((node) => node.ready()));
  }

  /** A copy of all that Redis has on its disk now; the returned function puts it in the place of what it has then. */
  async copyRedis(): Promise<() => Promise<void>> {
    const folder = await this.#redisFolder();
    const copy = `${folder}-copy-${(this.#copies += 1)}`;
    cpSync(folder, copy, { recursive: true });
    return async () => {
      await this.parts.redis.kill();
      rmSync(folder, { recursive: true, force: true });
      cpSync(copy, folder, { recursive: true });
      rmSync(copy, { recursive: true, force: true });
      await this.parts.redis.start();
    };
  }

  /** Runs one command on Redis as its administrator would. */
  async redis<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
    const redis = new Redis(this.parts.redisUrl, { lazyConnect: true, retryStrategy: null });
    redis.on('error', () => undefined);
    await redis.connect();
    try {
      return await work(redis);
    } finally {
      redis.disconnect();
    }
  }

  async close(): Promise<void> {
    this.#door.close();
    await this.#fleet.end();
    await this.parts.remove();
  }

  async #redisFolder(): Promise<string> {
    const folder = await this.redis(async (redis) => (await redis.config('GET', 'dir'))[1]);
    if (typeof folder !== 'string' || !existsSync(folder)) throw new Error('Redis keeps its data nowhere');
    return folder;
  }
}
