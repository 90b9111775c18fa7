import { Redis } from 'ioredis';
import { setTimeout as pause } from 'node:timers/promises';
import { sessionId, type ShowId } from '../../../src/platform/ids.ts';
import { showKey } from '../../../src/platform/redis-keys.ts';
import { RedisSeatStore } from '../../../src/seating/redis-seat-store.ts';
import { benchDraft, type BenchVenue } from './bench-show.ts';

const LIFETIME_MS = 86_400_000;
const STRIDE = 7_919;
const TURN_DIGITS = 9;

/** Takes and gives back seats of a show's first section, straight in the store; once. */
export class SeatStir {
  readonly #redis: Redis;
  readonly #store: RedisSeatStore;
  readonly #show: ShowId;
  readonly #venue: BenchVenue;
  #isOver = false;
  #turns = 0;

  constructor(url: string, show: ShowId, venue: BenchVenue) {
    this.#redis = new Redis(url);
    this.#store = new RedisSeatStore({
      redis: this.#redis,
      newEpoch: () => 1,
      onHistoryLost: () => undefined,
    });
    this.#show = show;
    this.#venue = venue;
  }

  /**
   * Takes so many seats and gives them back, every so many milliseconds, while something else is done.
   * @param seatsAtOnce at most 32
   */
  async during<T>(seatsAtOnce: number, everyMs: number, work: () => Promise<T>): Promise<T> {
    const stirring = this.#run(seatsAtOnce, everyMs);
    try {
      return await work();
    } finally {
      this.#isOver = true;
      await stirring;
      this.#redis.disconnect();
    }
  }

  async #run(seatsAtOnce: number, everyMs: number): Promise<void> {
    const { sections, seatsPerSection } = this.#venue;
    const { seatsPerBuyer, holdLifetimeMs, extensionsMax } = benchDraft(this.#venue, Date.now()).sale;
    const seatCount = sections * seatsPerSection;
    const sectionOf = Uint16Array.from({ length: seatCount }, (_, seat) =>
      Math.floor(seat / seatsPerSection),
    );
    const terms = { seatsPerBuyer, seatsPerNetwork: Infinity, holdLifetimeMs, extensionsMax };
    const rules = { show: this.#show, seatCount, sectionOf, sectionCount: sections, ...terms };
    const startedAt = performance.now();
    const before = this.#turns;
    while (!this.#isOver) {
      // Another buyer each time: nobody may have the same seats again at once.
      const session = sessionId(`bench-stirrer-${String(this.#turns).padStart(TURN_DIGITS, '0')}`);
      await this.#redis.zadd(showKey(this.#show, 'admitted'), Date.now() + LIFETIME_MS, session);
      const first = this.#turns++ * seatsAtOnce;
      const seats = Array.from({ length: seatsAtOnce }, (_, at) => ((first + at) * STRIDE) % seatsPerSection);
      const request = { session, network: null, seats, prices: seats.map(() => 1) };
      const [held] = await this.#store.hold(rules, [request]);
      if (held?.ok !== true) throw new Error(`the stirrer was refused: ${held?.code ?? 'no answer'}`);
      const { holdToken } = held.value;
      await this.#store.release(rules, { session, holdToken, seats: [] });
      await pause(Math.max(0, startedAt + (this.#turns - before) * everyMs - performance.now()));
    }
  }
}
