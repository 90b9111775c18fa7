import type { Redis } from 'ioredis';
import { loadPeer } from '../peers/peer-packages.ts';
import { buyerId, type Character, SEATS, type Strategy } from './strategy.ts';

/** What is used of redlock 4. */
interface Lock {
  unlock(): PromiseLike<void>;
}
interface Redlock {
  lock(resource: string, ttlMs: number): PromiseLike<Lock>;
}
type RedlockClass = new (clients: readonly Redis[], settings: object) => Redlock;

const LOCK_MS = 1_000;
const HOLD_MS = 86_400_000;
const HOW = 'lock, GET, SET, unlock on one Redis';
const CHARACTER = {
  scaling: 'seats spread over Redis servers; each seat costs four round trips wherever it is',
  crash: `the seat is locked until its lock ends (${LOCK_MS} ms); a process that slept longer than its lock writes all the same`,
};

/** The settings of its README. */
const README = { driftFactor: 0.01, retryCount: 10, retryDelay: 200, retryJitter: 200 };

/** As its README sets it up, and failing at once, which its README suggests where waiting makes no sense. */
export function redlocks(redis: Redis): readonly Strategy[] {
  const patient = {
    name: 'redlock',
    how: `${HOW}; waits and tries again, as in its README`,
    waiting: 'asks again after 0 to 400 ms, up to ten times; nobody keeps the order',
  };
  const impatient = {
    name: 'redlock, no retries',
    how: `${HOW}; fails at once`,
    waiting: 'nobody: who meets the lock is refused, though the seat may be free',
  };
  return [
    redlock(redis, { ...CHARACTER, ...patient }, README, SEATS / 10),
    redlock(redis, { ...CHARACTER, ...impatient }, { ...README, retryCount: 0 }, SEATS / 4),
  ];
}

/** A lock around each seat, then a look and a write, as the library's README shows. */
function redlock(redis: Redis, character: Character, settings: object, attempts: number): Strategy {
  // The package is its class.
  const Redlock = loadPeer('redlock') as RedlockClass;
  const locks = new Redlock([redis], settings);
  let house = '';
  return {
    ...character,
    attempts,
    reset: async ({ rules }) => void (house = `${character.name}:${rules.show}`),
    async attempt(session, seat) {
      const key = `${house}:seat:${seat}`;
      let lock: Lock;
      try {
        lock = await locks.lock(`locks:${key}`, LOCK_MS);
      } catch (cause) {
        if (cause instanceof Error && cause.name === 'LockError') return false;
        throw cause;
      }
      try {
        if ((await redis.get(key)) !== null) return false;
        await redis.set(key, buyerId(session), 'PX', HOLD_MS);
        return true;
      } finally {
        await lock.unlock();
      }
    },
  };
}
