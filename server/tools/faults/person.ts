import type { ClientChange, HoldView } from '@stampede/shared/client/stampede-client.ts';
import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import {
  isRefused,
  newBearer,
  StackBuyer,
  type VisitedShow,
} from '../../test/integration/stack/stack-buyer.ts';
import { WordBook } from './word-book.ts';

/** Without news for so long, people look at the page again. */
const LOOK_ANEW_MS = 400;
const THINK_MS_MAX = 800;
const AFTER_REFUSAL_MS = 100;
const SEATS_AT_ONCE_MAX = 3;
/** A page that doesn't open is tried again. */
const REOPEN_MS = 500;

/** The chances of one decision, each taken anew: people who behave like people, only more often. */
const RELOADS = 0.04;
const SWITCHES_TAB = 0.03;
const CHANGES_MIND = 0.06;
const EXTENDS = 0.04;
const LETS_HOLD_RUN_OUT = 0.03;
const HAS_ENOUGH = 0.25;
/** After "busy", not knowing whether the payment was taken. */
const TRIES_SAME_KEY_AGAIN = 0.5;
const RELOADS_AFTER_BUSY = 0.3;

/** Refusals that nobody should ever hear who behaves like this. */
const IMPOSSIBLE: ReadonlySet<string> = new Set([
  'malformed',
  'show-unknown',
  'seat-unknown',
  'amount-changed',
  'idempotency-mismatch',
]);

export interface PersonParts {
  readonly name: string;
  /** Where the site is; asked at each opening of the page. */
  readonly port: number;
  readonly show: VisitedShow;
  readonly seed: number;
}

/**
 * One buyer who reloads, switches tabs, changes their mind, gives up after "busy" and comes back, and who remembers
 * every word they were told.
 */
export class Person {
  readonly words: WordBook;
  /** Refusals by code. */
  readonly refusals = new Map<string, number>();
  /** How often a told position was worse than the one before, in one stay in the queue. */
  movedBack = 0;
  readonly #parts: PersonParts;
  readonly #random: Random;
  readonly #seatCount: number;
  #bearer = '';
  #tabs: StackBuyer[] = [];
  #intents = 0;
  #intent: { readonly key: string; readonly holdToken: number; readonly amount: number } | null = null;
  #lastPosition: number | null = null;
  #isHome = false;

  constructor(parts: PersonParts) {
    this.#parts = parts;
    this.words = new WordBook(parts.name);
    this.#random = seededRandom(parts.seed);
    this.#seatCount = parts.show.sectionSeats.reduce((sum, seats) => sum + seats, 0);
  }

  /** Shops until there is enough, it is time to go home, or everything is sold; then leaves. */
  async live(isTimeUp: () => boolean): Promise<void> {
    this.#bearer = await this.#session(isTimeUp);
    if (this.#bearer === '') return;
    while (!this.#isHome && !isTimeUp()) {
      if (this.#tabs.length === 0) await this.#open();
      else await this.#step();
    }
    this.closeTabs();
  }

  /** Comes back once more, hears what there is to hear of every order, and gives up what is left. */
  async comeBack(untilAt: number): Promise<void> {
    if (this.#bearer === '') return;
    this.closeTabs();
    while (this.#tabs.length === 0 && performance.now() < untilAt) await this.#open();
    const isOver = (): boolean => this.words.openOrders.length === 0 && !this.#front?.hold?.orderId;
    while (!isOver() && performance.now() < untilAt) await this.#change(isOver);
    await this.#front?.client.leave();
  }

  closeTabs(): void {
    for (const tab of this.#tabs) tab.client.stop();
    this.#tabs = [];
  }

  get #front(): StackBuyer | undefined {
    return this.#tabs.at(-1);
  }

  async #session(isTimeUp: () => boolean): Promise<string> {
    while (!isTimeUp()) {
      try {
        return await newBearer(this.#parts.port);
      } catch {
        await pause(REOPEN_MS);
      }
    }
    return '';
  }

  async #open(): Promise<void> {
    const { port, show } = this.#parts;
    try {
      const tab = await StackBuyer.arrive(port, show, this.#bearer);
      this.#listen(tab);
      this.#tabs.push(tab);
    } catch {
      await pause(REOPEN_MS);
    }
  }

  #listen(tab: StackBuyer): void {
    const { view } = tab;
    const hearHold = (): void => {
      if (view.hold?.orderId) this.words.hearId(view.hold.orderId);
    };
    // What entering brought was said before anybody listened.
    for (const order of view.orders.values()) this.words.hearOrder(order);
    hearHold();
    tab.client.onChange((change) => {
      if (change.kind === 'order') this.words.hearOrder(change.order);
      if (change.kind === 'hold') hearHold();
      if (change.kind === 'standing' && tab === this.#front) this.#notePosition(tab);
    });
  }

  #notePosition({ view: { standing } }: StackBuyer): void {
    if (standing.state !== 'waiting') {
      this.#lastPosition = null;
      return;
    }
    if (this.#lastPosition !== null && standing.position > this.#lastPosition) this.movedBack += 1;
    this.#lastPosition = standing.position;
  }

  /** Looks at the page and does the one thing that comes to mind. */
  async #step(): Promise<void> {
    const tab = this.#front;
    if (!tab) return;
    await pause(this.#random() * THINK_MS_MAX);
    if (await this.#mishap()) return;
    const { view, client } = tab;
    if (view.phase?.phase === 'sold-out' || view.phase?.phase === 'closed') this.#isHome = true;
    else if (view.connection.state !== 'open') await this.#change(() => view.connection.state === 'open');
    else if (view.hold !== null) await this.#decide(tab, view.hold);
    else if (view.standing.state === 'waiting') await this.#change(() => view.standing.state === 'admitted');
    else if (view.standing.state !== 'admitted') this.#heard(await client.join());
    else if (this.#wasHere && this.#random() < HAS_ENOUGH) await this.#goHome(tab);
    else await this.#choose(tab);
  }

  get #wasHere(): boolean {
    return this.#intents > 0;
  }

  async #goHome(tab: StackBuyer): Promise<void> {
    this.#heard(await tab.client.leave());
    this.#isHome = true;
  }

  /** Whether something happened that people do between two clicks. */
  async #mishap(): Promise<boolean> {
    if (this.#random() < RELOADS) {
      this.closeTabs();
      return true;
    }
    if (this.#random() >= SWITCHES_TAB) return false;
    if (this.#tabs.length === 1) await this.#open();
    else this.#tabs.shift()?.client.stop();
    return true;
  }

  async #choose({ client }: StackBuyer): Promise<void> {
    const first = Math.floor(this.#random() * this.#seatCount);
    const count = 1 + Math.floor(this.#random() * SEATS_AT_ONCE_MAX);
    const seats = Array.from({ length: count }, (_, index) => (first + index) % this.#seatCount);
    const answer = await client.hold(seats);
    this.#heard(answer);
    if (!isRefused(answer)) return;
    if (answer.code === 'limit-exceeded') this.#isHome = true;
    if (answer.code === 'not-admitted') this.#heard(await client.join());
    await this.#waitAsTold(answer.retryAfterMs);
  }

  async #decide(tab: StackBuyer, hold: HoldView): Promise<void> {
    const dice = this.#random();
    if (hold.orderId !== null)
      await this.#change(() => tab.view.hold?.orderId === null || tab.view.hold === null);
    else if (dice < CHANGES_MIND) this.#heard(await tab.client.release());
    else if (dice < CHANGES_MIND + EXTENDS) this.#heard(await tab.client.extend());
    else if (dice < CHANGES_MIND + EXTENDS + LETS_HOLD_RUN_OUT) await this.#letRunOut(tab, hold);
    else await this.#pay(tab, hold);
  }

  async #letRunOut(tab: StackBuyer, { holdToken }: HoldView): Promise<void> {
    const isOver = (): boolean => tab.view.hold?.holdToken !== holdToken;
    for (let looks = 0; looks < 100 && !isOver() && this.#front === tab; looks++) await this.#change(isOver);
  }

  async #pay(tab: StackBuyer, hold: HoldView): Promise<void> {
    const amount = tab.priceOf(hold.seats);
    // The same wish keeps its key; another cart is another wish.
    if (this.#intent?.holdToken !== hold.holdToken || this.#intent.amount !== amount) {
      this.#intents += 1;
      this.#intent = {
        key: `${this.#parts.name}-intent-${this.#intents}`,
        holdToken: hold.holdToken,
        amount,
      };
    }
    const { key } = this.#intent;
    for (;;) {
      const answer = await tab.client.checkout({ idempotencyKey: key, amount });
      this.#heard(answer);
      if (!isRefused(answer)) {
        this.words.hearOrder(answer.order);
        // A decline leaves the hold: the next click on "pay" is another wish.
        this.#intent = null;
        return;
      }
      await this.#waitAsTold(answer.retryAfterMs);
      if (this.#front !== tab) return;
      const dice = this.#random();
      if (dice < TRIES_SAME_KEY_AGAIN) continue;
      if (dice < TRIES_SAME_KEY_AGAIN + RELOADS_AFTER_BUSY) this.closeTabs();
      else this.#isHome = true;
      return;
    }
  }

  #heard(answer: { readonly ok: boolean }): void {
    if (isRefused(answer)) this.refusals.set(answer.code, (this.refusals.get(answer.code) ?? 0) + 1);
  }

  #waitAsTold(retryAfterMs: number): Promise<void> {
    return pause(Math.max(AFTER_REFUSAL_MS, retryAfterMs));
  }

  /** Waits for something to become so, but not for ever. */
  async #change(condition: (change?: ClientChange) => boolean): Promise<void> {
    const tab = this.#front;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => resolve(undefined), LOOK_ANEW_MS);
    const stop = tab?.client.onChange((change) => condition(change) && resolve(undefined));
    if (condition()) resolve(undefined);
    await promise;
    clearTimeout(timer);
    stop?.();
  }
}

/** Codes among `refusals` that tell of a fault of the server. */
export function impossibleRefusals(refusals: ReadonlyMap<string, number>): readonly string[] {
  return [...refusals].filter(([code]) => IMPOSSIBLE.has(code)).map(([code, count]) => `${code} × ${count}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
