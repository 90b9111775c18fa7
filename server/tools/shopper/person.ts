import type { HoldView } from '@stampede/shared/client/stampede-client.ts';
import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import { isRefused, newBearer, Shopper, type ShopperShow } from './shopper.ts';
import { WordBook } from './word-book.ts';

/** Without news for so long, people look at the page again. */
const LOOK_ANEW_MS = 400;
const AFTER_REFUSAL_MS = 100;
/** A page that doesn't open is tried again. */
const REOPEN_MS = 500;

/** Refusals that nobody should ever hear who behaves like this. */
const IMPOSSIBLE: ReadonlySet<string> = new Set([
  'malformed',
  'show-unknown',
  'seat-unknown',
  'amount-changed',
  'idempotency-mismatch',
]);
/** They leave open whether the payment was taken: who is keen on it tries the same key again. */
const UNDECIDED: ReadonlySet<string> = new Set(['busy', 'timed-out', 'rate-limited', 'disconnected']);

/** How somebody shops; the chances are of one decision, each taken anew. */
export interface Temper {
  readonly thinkMsMax: number;
  readonly seatsAtOnceMax: number;
  readonly reloads: number;
  readonly switchesTab: number;
  readonly changesMind: number;
  readonly extends: number;
  readonly letsHoldRunOut: number;
  /** Goes home after a purchase or an attempt at one. */
  readonly hasEnough: number;
  /** After "busy", not knowing whether the payment was taken; who does neither goes home. */
  readonly triesSameKeyAgain: number;
  readonly reloadsAfterBusy: number;
}

/** Behaves like people, only more often. */
export const FICKLE: Temper = {
  thinkMsMax: 800,
  seatsAtOnceMax: 3,
  reloads: 0.04,
  switchesTab: 0.03,
  changesMind: 0.06,
  extends: 0.04,
  letsHoldRunOut: 0.03,
  hasEnough: 0.25,
  triesSameKeyAgain: 0.5,
  reloadsAfterBusy: 0.3,
};

export interface PersonParts {
  readonly name: string;
  /** Where the site is; asked at each opening of the page. */
  readonly port: number;
  readonly show: ShopperShow;
  readonly seed: number;
  readonly temper: Temper;
}

/**
 * Somebody who shops in one tab or two, with a temper, and remembers every word they were told: they reload, change
 * their mind, give up after "busy" and come back.
 */
export class Person {
  readonly words: WordBook;
  /** Orders that the server said it had accepted, by idempotency key. */
  readonly accepted = new Map<string, string>();
  /** Refusals by code. */
  readonly refusals = new Map<string, number>();
  readonly #parts: PersonParts;
  readonly #random: Random;
  #bearer = '';
  #tabs: Shopper[] = [];
  #intent: { readonly key: string; readonly holdToken: number; readonly amount: number } | null = null;
  #intents = 0;
  /** How often a told position was worse than the one before, in one stay in the queue. */
  #movedBack = 0;
  #lastPosition: number | null = null;
  #isHome = false;

  constructor(parts: PersonParts) {
    this.#parts = parts;
    this.words = new WordBook(parts.name);
    this.#random = seededRandom(parts.seed);
  }

  get movedBack(): number {
    return this.#movedBack;
  }

  /** The tab that is looked at. @throws Error without one */
  get tab(): Shopper {
    const [front] = this.#tabs.slice(-1);
    if (!front) throw new Error(`${this.#parts.name} has no page open`);
    return front;
  }

  /** Shops until there is enough, it is time to go home, or everything is sold. Tabs stay open. */
  async shop(isTimeUp: () => boolean): Promise<void> {
    while (!this.#isHome && !isTimeUp()) {
      if (this.#tabs.length === 0) await this.arrive(isTimeUp);
      else await this.#step(this.tab);
    }
  }

  /** Opens the page, trying again until it is time to go home. */
  async arrive(isTimeUp: () => boolean): Promise<void> {
    while (this.#bearer === '' && !isTimeUp()) {
      this.#bearer = await newBearer(this.#parts.port).catch(() => '');
      if (this.#bearer === '') await pause(REOPEN_MS);
    }
    while (this.#tabs.length === 0 && !isTimeUp()) await this.#open();
  }

  /** Comes back once more, hears what there is to hear of every order, and gives up what is left. */
  async comeBack(untilAt: number): Promise<void> {
    if (this.#bearer === '') return;
    this.closeTabs();
    await this.arrive(() => performance.now() >= untilAt);
    const [tab] = this.#tabs;
    const isOver = (): boolean => this.words.openOrders.length === 0 && !tab?.hold?.orderId;
    await tab?.until(isOver, Math.max(0, untilAt - performance.now()));
    await tab?.client.leave();
  }

  closeTabs(): void {
    for (const tab of this.#tabs) tab.client.stop();
    this.#tabs = [];
  }

  async #open(): Promise<void> {
    const { port, show } = this.#parts;
    try {
      const tab = await Shopper.arrive(port, show, this.#bearer);
      this.#listen(tab);
      this.#tabs.push(tab);
    } catch {
      await pause(REOPEN_MS);
    }
  }

  #listen(tab: Shopper): void {
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
      if (change.kind === 'standing' && tab === this.#tabs.at(-1)) this.#notePosition(tab);
    });
  }

  #notePosition({ view: { standing } }: Shopper): void {
    const position = standing.state === 'waiting' ? standing.position : null;
    if (position !== null && this.#lastPosition !== null && position > this.#lastPosition)
      this.#movedBack += 1;
    this.#lastPosition = position;
  }

  /** Looks at the page and does the one thing that comes to mind. */
  async #step(tab: Shopper): Promise<void> {
    const { thinkMsMax, hasEnough } = this.#parts.temper;
    if (thinkMsMax > 0) await pause(this.#random() * thinkMsMax);
    if (await this.#mishap()) return;
    const { view, client } = tab;
    const change = (isTrue: () => boolean) => tab.until(isTrue, LOOK_ANEW_MS);
    if (tab.isSaleOver) this.#isHome = true;
    else if (view.connection.state !== 'open') await change(() => view.connection.state === 'open');
    else if (view.hold !== null) await this.#decide(tab, view.hold);
    else if (view.standing.state === 'waiting') await change(() => view.standing.state === 'admitted');
    else if (view.standing.state !== 'admitted') await this.#join(tab);
    else if (this.#intents > 0 && this.#random() < hasEnough) {
      this.#heard(await client.leave());
      this.#isHome = true;
    } else await this.#choose(tab);
  }

  async #join({ client }: Shopper): Promise<void> {
    const answer = await client.join();
    this.#heard(answer);
    if (isRefused(answer)) await waitAsTold(answer.retryAfterMs);
  }

  /** Whether something happened that people do between two clicks. */
  async #mishap(): Promise<boolean> {
    const { reloads, switchesTab } = this.#parts.temper;
    if (this.#random() < reloads) {
      this.closeTabs();
      return true;
    }
    if (this.#random() >= switchesTab) return false;
    if (this.#tabs.length === 1) await this.#open();
    else this.#tabs.shift()?.client.stop();
    return true;
  }

  async #choose(tab: Shopper): Promise<void> {
    const { seatCount } = tab.show.map;
    const first = Math.floor(this.#random() * seatCount);
    const count = 1 + Math.floor(this.#random() * this.#parts.temper.seatsAtOnceMax);
    const seats = Array.from({ length: count }, (_, index) => (first + index) % seatCount);
    const answer = await tab.client.hold(seats);
    this.#heard(answer);
    if (!isRefused(answer) || answer.code === 'seat-taken') return;
    if (answer.code === 'limit-exceeded') this.#isHome = true;
    // Somebody whose admission ended, or was forgotten with everything else, goes and queues again.
    if (answer.code === 'not-admitted') await this.#join(tab);
    await waitAsTold(answer.retryAfterMs);
  }

  async #decide(tab: Shopper, { orderId, holdToken, seats }: HoldView): Promise<void> {
    const { changesMind, extends: extendsHold, letsHoldRunOut } = this.#parts.temper;
    const dice = this.#random();
    const isOver = (): boolean => tab.hold?.holdToken !== holdToken;
    if (orderId !== null) await tab.until(() => isOver() || tab.hold?.orderId === null, LOOK_ANEW_MS);
    else if (dice < changesMind) this.#heard(await tab.client.release());
    else if (dice < changesMind + extendsHold) this.#heard(await tab.client.extend());
    else if (dice < changesMind + extendsHold + letsHoldRunOut) await tab.until(isOver, 100 * LOOK_ANEW_MS);
    else await this.#pay(tab, holdToken, tab.priceOf(seats));
  }

  async #pay(tab: Shopper, holdToken: number, amount: number): Promise<void> {
    const { name, temper } = this.#parts;
    // The same wish keeps its key; another cart is another wish.
    if (this.#intent?.holdToken !== holdToken || this.#intent.amount !== amount) {
      this.#intents += 1;
      this.#intent = { key: `${name}-intent-${this.#intents}`, holdToken, amount };
    }
    const { key } = this.#intent;
    for (;;) {
      const answer = await tab.client.checkout({ idempotencyKey: key, amount });
      this.#heard(answer);
      if (!isRefused(answer)) {
        this.accepted.set(key, answer.order.id);
        this.words.hearOrder(answer.order);
        // A decline leaves the hold: the next click on "pay" is another wish.
        this.#intent = null;
        // The answer may be there before word of the hold that is frozen now.
        await tab.until(() => tab.hold?.orderId !== null, LOOK_ANEW_MS);
        return;
      }
      await waitAsTold(answer.retryAfterMs);
      if (this.#tabs.at(-1) !== tab) return;
      const dice = this.#random();
      if (dice < temper.triesSameKeyAgain) {
        if (temper.triesSameKeyAgain < 1 || UNDECIDED.has(answer.code)) continue;
        return;
      }
      if (dice < temper.triesSameKeyAgain + temper.reloadsAfterBusy) this.closeTabs();
      else this.#isHome = true;
      return;
    }
  }

  #heard(answer: { readonly ok: boolean }): void {
    if (isRefused(answer)) this.refusals.set(answer.code, (this.refusals.get(answer.code) ?? 0) + 1);
  }
}

/** Codes among `refusals` that tell of a fault of the server. */
export function impossibleRefusals(refusals: ReadonlyMap<string, number>): readonly string[] {
  return [...refusals].filter(([code]) => IMPOSSIBLE.has(code)).map(([code, count]) => `${code} × ${count}`);
}

const waitAsTold = (retryAfterMs: number): Promise<void> => pause(Math.max(AFTER_REFUSAL_MS, retryAfterMs));

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
