import { systemClock } from '@stampede/shared/platform/clock.ts';
import type { Redis } from 'ioredis';
import { MemoryShowFeed } from '../../../src/feed/memory-show-feed.ts';
import type { Database } from '../../../src/platform/database.ts';
import { type NextTurn, nextTurn } from '../../../src/platform/outside.ts';
import { showKey } from '../../../src/platform/redis-keys.ts';
import { MemorySeatStore } from '../../../src/seating/memory-seat-store.ts';
import { MysqlSeatStore } from '../../../src/seating/mysql-seat-store.ts';
import { RedisSeatStore } from '../../../src/seating/redis-seat-store.ts';
import { holdStep } from '../../../src/seating/seat-steps.ts';
import type { SeatStore } from '../../../src/seating/seat-store.ts';
import { buyerId, type Character, type House, SEATS, type Strategy } from './strategy.ts';

const everybody = { isAdmitted: () => true };
const NO_FACTS = { sold: [], checkouts: [] };
const SESSIONS_PER_CALL = 5_000;
const LIFETIME_MS = 86_400_000;

let lastEpoch = 0;
const newEpoch = (): number => ++lastEpoch;

/** A seat store, asked as a gateway asks it. */
function storeStrategy(
  character: Character & Pick<Strategy, 'attempts'>,
  store: SeatStore,
  admit: (house: House) => Promise<void> = async () => undefined,
): Strategy {
  let current: House | null = null;
  return {
    ...character,
    async reset(house) {
      current = house;
      await store.open(house.rules, NO_FACTS);
      await admit(house);
    },
    async attempt(session, seat) {
      if (!current) throw new Error('there is no house yet');
      const { show, rules } = current;
      const buyer = { session: buyerId(session), network: null };
      const [outcome] = await store.take(rules, [holdStep(show, buyer, [seat])]);
      return outcome.ok;
    },
  };
}

export function inProcess(): Strategy {
  const feed = new MemoryShowFeed({ nextTurn });
  const store = new MemorySeatStore({ feed, admissions: everybody, newEpoch, clock: systemClock });
  const character = {
    name: 'in process',
    how: 'a JavaScript object',
    scaling: 'none: one process has all seats',
    waiting: 'nobody: an attempt is over before the next begins',
    crash: 'every hold is gone; sold seats come back from the database',
  };
  return storeStrategy({ ...character, attempts: SEATS }, store);
}

/** The hold script, as gateways call it and one request a call. */
export function ourLua(redis: Redis): readonly Strategy[] {
  const storeCalling = (turn: NextTurn) =>
    new RedisSeatStore({ redis, outside: { nextTurn: turn }, newEpoch, onHistoryLost: () => undefined });
  const admit = async ({ rules }: House): Promise<void> => {
    for (let from = 0; from < SEATS; from += SESSIONS_PER_CALL) {
      const sessions = Array.from({ length: SESSIONS_PER_CALL }, (_, index) => buyerId(from + index));
      const scored = sessions.flatMap((session) => [systemClock.now() + LIFETIME_MS, session]);
      await redis.zadd(showKey(rules.show, 'admitted'), ...scored);
    }
  };
  const shared = {
    scaling: 'any number of gateways; shows spread over a Redis Cluster, one show has one core of Redis',
    waiting: 'nobody: the script decides at once, in order of coming',
    crash:
      'nothing of a gateway: a script runs whole or not at all. Redis: up to a second of holds, never a sale',
  };
  const each = { name: 'our Lua', how: 'one script call a turn of the event loop', attempts: SEATS };
  const alone = { name: 'our Lua, one by one', how: 'one script call a request', attempts: SEATS / 2 };
  return [
    storeStrategy({ ...each, ...shared }, storeCalling(nextTurn), admit),
    storeStrategy(
      { ...alone, ...shared },
      storeCalling((task) => task()),
      admit,
    ),
  ];
}

/** The fallback when Redis is down. */
export function ourMysql(database: Database): Strategy {
  const parts = { database, admissions: everybody, newEpoch, outside: { nextTurn } };
  const character = {
    name: 'our MySQL store',
    how: 'our fallback store; what comes during a transaction goes together in the next one',
    scaling: 'any number of gateways on one database server',
    waiting: "in the database, for the show's row; gateways gather what waits",
    crash: 'nothing: the database rolls back',
  };
  return storeStrategy({ ...character, attempts: SEATS / 20 }, new MysqlSeatStore(parts));
}
