import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import type { Redis } from 'ioredis';
import type { Database } from '../../../src/platform/database.ts';
import { showKey } from '../../../src/platform/redis-keys.ts';
import { nextTurn } from '../../../src/platform/turn.ts';
import { HoldSeats } from '../../../src/seating/hold-seats.ts';
import { MemorySeatStore } from '../../../src/seating/memory-seat-store.ts';
import { MemoryShowFeed } from '../../../src/seating/memory-show-feed.ts';
import { MysqlSeatStore } from '../../../src/seating/mysql-seat-store.ts';
import { RedisSeatStore } from '../../../src/seating/redis-seat-store.ts';
import type { SeatStore } from '../../../src/seating/seat-store.ts';
import { buyerId, type House, SEATS, type Strategy } from './strategy.ts';

const everybody = { isAdmitted: () => true };
const NO_FACTS = { sold: [], checkouts: [] };
const PRICES = [5_000];
const SESSIONS_PER_CALL = 5_000;
const LIFETIME_MS = 86_400_000;

let lastEpoch = 0;
const newEpoch = (): number => ++lastEpoch;

/** A seat store, asked as a gateway asks it: what comes in one turn goes together; or each alone. */
class StoreStrategy implements Strategy {
  readonly name: string;
  readonly how: string;
  readonly attempts: number;
  readonly #store: SeatStore;
  readonly #together: HoldSeats | null;
  readonly #admit: (house: House) => Promise<void>;
  #house: House | null = null;

  constructor(
    words: Pick<Strategy, 'name' | 'how' | 'attempts'>,
    store: SeatStore,
    isTogether: boolean,
    admit: (house: House) => Promise<void> = async () => undefined,
  ) {
    this.name = words.name;
    this.how = words.how;
    this.attempts = words.attempts;
    this.#store = store;
    this.#together = isTogether ? new HoldSeats(store, nextTurn) : null;
    this.#admit = admit;
  }

  async reset(house: House): Promise<void> {
    this.#house = house;
    await this.#store.open(house.rules, NO_FACTS);
    await this.#admit(house);
  }

  async attempt(session: number, seat: number): Promise<boolean> {
    if (!this.#house) throw new Error('there is no house yet');
    const { show, rules } = this.#house;
    const buyer = { session: buyerId(session), network: null };
    if (this.#together) return (await this.#together.run(show, rules, buyer, [seat])).ok;
    const request = { ...buyer, seats: [seat], prices: PRICES };
    const [outcome] = await this.#store.hold(rules, [request]);
    return outcome?.ok === true;
  }
}

export function inProcess(): Strategy {
  const store = new MemorySeatStore({
    feed: new MemoryShowFeed(),
    admissions: everybody,
    newEpoch,
    clock: systemClock,
  });
  const words = { name: 'in process', how: 'a JavaScript object; one process only', attempts: SEATS };
  return new StoreStrategy(words, store, true);
}

/** The hold script, as gateways call it and one request a call. */
export function ourLua(redis: Redis): readonly Strategy[] {
  const store = new RedisSeatStore({ redis, newEpoch, onHistoryLost: () => undefined });
  const admit = async ({ rules }: House): Promise<void> => {
    for (let from = 0; from < SEATS; from += SESSIONS_PER_CALL) {
      const sessions = Array.from({ length: SESSIONS_PER_CALL }, (_, index) => buyerId(from + index));
      const scored = sessions.flatMap((session) => [systemClock.now() + LIFETIME_MS, session]);
      await redis.zadd(showKey(rules.show, 'admitted'), ...scored);
    }
  };
  return [
    new StoreStrategy(
      { name: 'our Lua', how: 'one script call a turn of the event loop', attempts: SEATS },
      store,
      true,
      admit,
    ),
    new StoreStrategy(
      { name: 'our Lua, one by one', how: 'one script call a request', attempts: SEATS / 2 },
      store,
      false,
      admit,
    ),
  ];
}

/** The fallback when Redis is down, one request a transaction. */
export function ourMysql(database: Database): Strategy {
  const store = new MysqlSeatStore({
    database,
    admissions: everybody,
    newEpoch,
    clock: systemClock,
    random: systemRandom,
  });
  const how = 'our fallback store, one request a transaction; taken seats are seen without a lock';
  return new StoreStrategy({ name: 'our MySQL store', how, attempts: SEATS / 20 }, store, false);
}
