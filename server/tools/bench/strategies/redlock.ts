import type { Redis } from 'ioredis';
import { loadPeer } from '../peers/peer-packages.ts';
import { buyerId, type House, SEATS, type Strategy } from './strategy.ts';

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

/** The settings of its README. */
const README = { driftFactor: 0.01, retryCount: 10, retryDelay: 200, retryJitter: 200 };

/** A lock around each seat, then a look and a write, as the library's README shows. */
class RedlockStrategy implements Strategy {
  readonly name: string;
  readonly how: string;
  readonly attempts: number;
  readonly #redis: Redis;
  readonly #redlock: Redlock;
  #house = '';

  constructor(words: Pick<Strategy, 'name' | 'how' | 'attempts'>, redis: Redis, redlock: Redlock) {
    this.name = words.name;
    this.how = words.how;
    this.attempts = words.attempts;
    this.#redis = redis;
    this.#redlock = redlock;
  }

  async reset({ rules }: House): Promise<void> {
    this.#house = `${this.name}:${rules.show}`;
  }

  async attempt(session: number, seat: number): Promise<boolean> {
    const key = `${this.#house}:seat:${seat}`;
    let lock: Lock;
    try {
      lock = await this.#redlock.lock(`locks:${key}`, LOCK_MS);
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'LockError') return false;
      throw cause;
    }
    try {
      if ((await this.#redis.get(key)) !== null) return false;
      await this.#redis.set(key, buyerId(session), 'PX', HOLD_MS);
      return true;
    } finally {
      await lock.unlock();
    }
  }
}

/** As its README sets it up, and failing at once, which its README suggests where waiting makes no sense. */
export function redlocks(redis: Redis): readonly Strategy[] {
  // The package is its class.
  const Redlock = loadPeer('redlock') as RedlockClass;
  const how = 'lock, GET, SET, unlock on one Redis';
  return [
    new RedlockStrategy(
      { name: 'redlock', how: `${how}; waits and tries again, as in its README`, attempts: SEATS / 10 },
      redis,
      new Redlock([redis], README),
    ),
    new RedlockStrategy(
      { name: 'redlock, no retries', how: `${how}; fails at once`, attempts: SEATS / 4 },
      redis,
      new Redlock([redis], { ...README, retryCount: 0 }),
    ),
  ];
}
