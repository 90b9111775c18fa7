import type { ClientChange } from '@stampede/shared/client/stampede-client.ts';
import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import { isRefused, StackBuyer, type VisitedShow } from './stack-buyer.ts';

/** A lost socket, a lost place: after so long without news a buyer looks anew. */
const LOOK_ANEW_MS = 300;
/** What people who were refused wait at least before they click again. */
const AFTER_REFUSAL_MS = 50;

/** Refusals that are part of any crowd: nothing is broken when they come. */
const FAIR: ReadonlySet<string> = new Set([
  'seat-taken',
  'not-admitted',
  'hold-ended',
  'sold-out',
  'limit-exceeded',
]);

/** They leave open whether the payment was taken: only the same key may be tried again. */
const UNDECIDED: ReadonlySet<string> = new Set(['busy', 'timed-out', 'rate-limited']);

/** Somebody who buys seat after seat, whatever happens, and remembers what they were promised. */
export class KeenBuyer {
  readonly buyer: StackBuyer;
  /** Ids of orders that the server said it had accepted. */
  readonly accepted = new Set<string>();
  /** How often something was refused, by its code: only what a crowd alone doesn't explain. */
  readonly troubles = new Map<string, number>();
  readonly #name: string;
  readonly #random: Random;
  readonly #seatCount: number;
  #intents = 0;
  #isBuying = true;
  #done: Promise<void> = Promise.resolve();

  private constructor(buyer: StackBuyer, show: VisitedShow, seed: number) {
    this.buyer = buyer;
    this.#name = `keen-${seed}`;
    this.#random = seededRandom(seed);
    this.#seatCount = show.sectionSeats.reduce((sum, seats) => sum + seats, 0);
  }

  static async start(port: number, show: VisitedShow, seed: number): Promise<KeenBuyer> {
    const keen = new KeenBuyer(await StackBuyer.arriveInTime(port, show), show, seed);
    keen.#done = keen.#buy();
    return keen;
  }

  /** Accepted orders whose outcome this buyer has heard of. */
  get settled(): readonly string[] {
    return [...this.accepted].filter((id) => (this.buyer.order(id)?.status ?? 'processing') !== 'processing');
  }

  get confirmed(): number {
    return [...this.accepted].filter((id) => this.buyer.order(id)?.status === 'confirmed').length;
  }

  /** Begins nothing new; resolves when what was begun is over. */
  finish(): Promise<void> {
    this.#isBuying = false;
    return this.#done;
  }

  async #buy(): Promise<void> {
    const { client } = this.buyer;
    const { view } = client;
    while (this.#isBuying) {
      if (view.standing.state !== 'admitted') {
        this.#judge(await client.join());
        await this.#change(() => view.standing.state === 'admitted');
      } else if (view.hold === null) {
        await this.#hold();
      } else if (view.hold.payment === 'none') {
        await this.#pay(view.hold.seats);
      } else {
        await this.#change(() => (view.hold?.payment ?? 'none') === 'none');
      }
    }
  }

  async #hold(): Promise<void> {
    const { client } = this.buyer;
    const answer = await client.hold([Math.floor(this.#random() * this.#seatCount)]);
    if (!isRefused(answer)) return;
    this.#judge(answer);
    if (answer.code === 'seat-taken') return;
    if (answer.code === 'limit-exceeded') this.#isBuying = false;
    // Somebody whose admission ended, or was forgotten with everything else, goes and queues again.
    if (answer.code === 'not-admitted') this.#judge(await client.join());
    await this.#pause(Math.max(AFTER_REFUSAL_MS, answer.retryAfterMs));
  }

  async #pay(seats: readonly number[]): Promise<void> {
    const { client } = this.buyer;
    const idempotencyKey = `${this.#name}-${(this.#intents += 1)}`;
    const amount = this.buyer.priceOf(seats);
    for (;;) {
      const answer = await client.checkout({ idempotencyKey, amount });
      if (!isRefused(answer)) {
        this.accepted.add(answer.order.id);
        // The answer may be there before word of the hold that is frozen now.
        await this.#change(() => this.buyer.hold?.orderId !== null);
        return;
      }
      this.#judge(answer);
      await this.#pause(Math.max(AFTER_REFUSAL_MS, answer.retryAfterMs));
      if (!UNDECIDED.has(answer.code)) return;
    }
  }

  #judge(answer: { readonly ok: boolean }): void {
    if (!isRefused(answer) || FAIR.has(answer.code)) return;
    this.troubles.set(answer.code, (this.troubles.get(answer.code) ?? 0) + 1);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  /** Waits for something to become so, but not for ever. */
  async #change(condition: (change?: ClientChange) => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), LOOK_ANEW_MS);
    const stop = this.buyer.client.onChange((change) => condition(change) && resolve(undefined));
    if (condition()) resolve(undefined);
    await promise;
    clearTimeout(timer);
    stop();
  }
}
