import { Person, type Temper } from '../../../tools/shopper/person.ts';
import type { Shopper, ShopperShow } from '../../../tools/shopper/shopper.ts';

/** Buys seat after seat, whatever happens. */
const KEEN: Temper = {
  thinkMsMax: 0,
  seatsAtOnceMax: 1,
  reloads: 0,
  switchesTab: 0,
  changesMind: 0,
  extends: 0,
  letsHoldRunOut: 0,
  hasEnough: 0,
  triesSameKeyAgain: 1,
  reloadsAfterBusy: 0,
};

/** Refusals that are part of any crowd: nothing is broken when they come. */
const FAIR: ReadonlySet<string> = new Set([
  'seat-taken',
  'not-admitted',
  'hold-ended',
  'sold-out',
  'limit-exceeded',
]);

/** Somebody who buys from the moment they arrive until they are told to finish. */
export class KeenBuyer {
  readonly person: Person;
  readonly #done: Promise<void>;
  #isBuying = true;

  private constructor(person: Person) {
    this.person = person;
    this.#done = person.shop(() => !this.#isBuying);
  }

  static async start(port: number, show: ShopperShow, seed: number, seatsAtOnceMax = 1): Promise<KeenBuyer> {
    const temper = { ...KEEN, seatsAtOnceMax };
    const person = new Person({ name: `keen-${seed}`, port, show, seed, temper });
    await person.arrive(() => false);
    return new KeenBuyer(person);
  }

  get buyer(): Shopper {
    return this.person.tab;
  }

  /** Ids of orders that the server said it had accepted. */
  get accepted(): ReadonlySet<string> {
    return new Set(this.person.accepted.values());
  }

  /** Those of them whose outcome is on the screen. */
  get settled(): readonly string[] {
    return [...this.accepted].filter((id) => (this.buyer.order(id)?.status ?? 'processing') !== 'processing');
  }

  get confirmed(): number {
    return this.settled.filter((id) => this.buyer.order(id)?.status === 'confirmed').length;
  }

  /** How often something was refused, by its code: only what a crowd alone doesn't explain. */
  get troubles(): ReadonlyMap<string, number> {
    return new Map([...this.person.refusals].filter(([code]) => !FAIR.has(code)));
  }

  /** Begins nothing new; resolves when what was begun is over. */
  finish(): Promise<void> {
    this.#isBuying = false;
    return this.#done;
  }
}
