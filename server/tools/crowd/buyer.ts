import type { Answer, ClientChange } from '@stampede/shared/client/stampede-client.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { Diary } from './diary.ts';
import { type RunKeys, type ToldSeat, toldSeatsOf } from './ledger.ts';
import type { Fate, Tally } from './report.ts';
import { isHopeful, nextMove, type Wish } from '../shopper/next-move.ts';
import { type Pace, thinkTime } from '../shopper/pace.ts';
import type { Desirability } from '../shopper/seat-choice.ts';
import { Shopper, type ShopperClient, type ShopperShow, wasAnswered } from '../shopper/shopper.ts';
import type { Situation } from '../shopper/situation.ts';

/** What a buyer needs of the world; the same for all but their own connection and dice. */
export interface BuyerParts {
  readonly show: ShopperShow;
  readonly desirability: Desirability;
  /** The one seat that everybody wants; null: whichever are good. */
  readonly onlySeat: number | null;
  readonly pace: Pace;
  readonly keys: RunKeys;
  readonly tally: Tally;
  readonly told: ToldSeat[];
  readonly clock: Clock;
  /** Milliseconds with fractions, for latencies. */
  readonly stopwatch: () => number;
}

export interface BuyerIdentity {
  readonly number: number;
  /** Seats wanted. */
  readonly wish: number;
  readonly random: Random;
  /** Makes the client once there is a session; null if there is none to be had. */
  readonly openClient: () => Promise<ShopperClient | null>;
}

/** Some find better seats in their hands less tempting, put them back once, and look again. */
const CHANGES_MIND = 0.04;
/** After a decline some have had enough at once; the others try again so often. */
const HAS_HAD_ENOUGH = 0.3;
const PAYMENTS_MAX = 3;
const NONE: ReadonlySet<number> = new Set();

/**
 * One simulated buyer. Whatever happens, they read their situation afresh, think for a moment, and do the one thing
 * that it asks for; then the same again, until they own tickets or know that they won't.
 */
export class Buyer {
  readonly number: number;
  readonly finished: Promise<Fate>;
  readonly #parts: BuyerParts;
  readonly #identity: BuyerIdentity;
  readonly #wish: Wish;
  readonly #finish: (fate: Fate) => void;
  readonly #diary: Diary;
  #shopper: Shopper | null = null;
  #fate: Fate | null = null;
  #goingHome = false;
  #lostSeats = NONE;
  /** The server asked to wait this long before the next request. */
  #askedToWaitMs = 0;
  #hasJoined = false;
  #mayChangeMind = true;
  #payments = 0;
  #declines = 0;

  constructor(parts: BuyerParts, identity: BuyerIdentity) {
    this.number = identity.number;
    this.#parts = parts;
    this.#identity = identity;
    this.#wish = parts.onlySeat === null ? identity.wish : { seat: parts.onlySeat };
    this.#diary = new Diary(parts.tally, identity.number);
    const { promise, resolve } = Promise.withResolvers<Fate>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /** Where the buyer stands, for whoever watches the crowd. */
  get situation(): Situation['at'] {
    return this.#shopper?.situation.at ?? 'away';
  }

  get seatsHeld(): number {
    return this.#shopper?.hold?.seats.length ?? 0;
  }

  get isGone(): boolean {
    return this.#fate !== null;
  }

  /** The whole visit. Called once. */
  async visit(): Promise<void> {
    const { show, clock } = this.#parts;
    const client = await this.#identity.openClient();
    if (!client) this.#goAs('unanswered');
    if (this.isGone || !client) return;
    const shopper = new Shopper({ client, show, clock, random: this.#identity.random });
    this.#shopper = shopper;
    client.onChange((change) => this.#hear(change));
    client.start();
    // The client itself goes on trying where that may help.
    void this.#ask('enter', () => client.enter(show.id, show.map)).then((entered) => {
      if (!entered.ok && entered.code === 'show-unknown') this.#goAs('unanswered');
    });
    while (this.#fate === null) {
      if (this.#diary.isStuck) this.#goAs('unanswered');
      else await this.#turn(shopper);
    }
  }

  /** Ends shopping: waits for the outcome of a payment, else gives back what is held and leaves. */
  goHome(): void {
    this.#goingHome = true;
    if (this.#shopper) this.#shopper.hurry();
    else this.#goAs('unanswered');
  }

  /** Leaves in this moment, whatever is under way. */
  vanish(): void {
    this.#goAs('unanswered');
  }

  #hear(change: ClientChange): void {
    if (this.isGone || !this.#shopper) return;
    const { connection } = this.#shopper.view;
    if (change.kind === 'connection') {
      this.#diary.connection(connection);
      if (connection.state === 'stopped') this.#goAs('unanswered');
    }
    const end = change.kind === 'hold' ? change.ended?.reason : undefined;
    if (end === 'expired') this.#diary.note('a hold ran out');
    if (end === 'lost') this.#diary.unexpected('held seats were lost to somebody else');
  }

  /** Waits for something to do, thinks about it, and does it. */
  async #turn(shopper: Shopper): Promise<void> {
    const before = shopper.situation.at;
    const thinkMs = this.#thinkingTime(shopper, before);
    if (thinkMs === null) {
      await shopper.until(() => shopper.situation.at !== before);
      return;
    }
    // Who is sent home thinks anew.
    if (!(await shopper.pause(thinkMs))) return;
    this.#askedToWaitMs = 0;
    // It may have changed since the thought began.
    const { situation } = shopper;
    if (situation.at === 'owner') this.#takeTickets(situation.order);
    else if (situation.at === 'turned-down') await this.#takeDecline(shopper, situation.order);
    else if (situation.at === 'over') await this.#leave(shopper, 'refused');
    else if (this.#goingHome && situation.at !== 'paying') await this.#leave(shopper, 'unanswered');
    else if (situation.at === 'outside') await this.#join(shopper);
    else if (situation.at === 'holding') await this.#decideOnHold(shopper);
    else if (situation.at === 'shopping') await this.#shop(shopper);
  }

  /** Milliseconds before doing what a situation asks for; null if it asks for nothing. */
  #thinkingTime({ view, random }: Shopper, at: Situation['at']): number | null {
    const { pace } = this.#parts;
    if (this.#goingHome) return at === 'paying' ? null : 0;
    switch (at) {
      case 'away':
      case 'early':
      case 'queued':
      case 'paying':
        return null;
      case 'outside':
        return this.#askedToWaitMs + (this.#hasJoined ? thinkTime(pace.again, random) : 0);
      case 'owner':
      case 'over':
        return 0;
      case 'holding':
      case 'turned-down':
        return this.#askedToWaitMs + thinkTime(pace.pay, random);
      case 'shopping':
        return this.#askedToWaitMs + thinkTime(view.sections.size === 0 ? pace.look : pace.again, random);
    }
  }

  async #join({ client }: Shopper): Promise<void> {
    this.#hasJoined = true;
    await this.#ask('join', () => client.join());
  }

  async #shop(shopper: Shopper): Promise<void> {
    const move = nextMove(shopper, this.#parts.desirability, this.#wish, this.#lostSeats);
    this.#lostSeats = NONE;
    if (move.do === 'click') await this.#hold(shopper, move.seats);
    else if (move.do === 'look') await this.#ask('watch', () => shopper.client.watch(move.sections));
    else if (move.do === 'give-up') await this.#leave(shopper, 'refused');
    else await shopper.until(() => shopper.situation.at !== 'shopping' || isHopeful(shopper, this.#wish));
  }

  async #hold({ client }: Shopper, seats: readonly number[]): Promise<void> {
    const { tally, stopwatch } = this.#parts;
    const sentAt = stopwatch();
    const answer = await this.#ask('hold', () => client.hold(seats));
    if (wasAnswered(answer)) tally.holdLatenciesMs.push(stopwatch() - sentAt);
    if (answer.ok) {
      tally.note('seats held');
      if (!seats.every((seat) => answer.hold.seats.includes(seat)))
        this.#diary.unexpected('a hold was granted without the seats that were asked for');
    } else if (answer.code === 'seat-taken') {
      this.#lostSeats = new Set(answer.seats);
    }
  }

  async #decideOnHold(shopper: Shopper): Promise<void> {
    const changesMind = this.#mayChangeMind && shopper.random() < CHANGES_MIND;
    this.#mayChangeMind = false;
    if (changesMind) {
      this.#diary.note('changed their mind and put seats back');
      await this.#ask('release', () => shopper.client.release());
      return;
    }
    const key = this.#parts.keys.keyOf(this.number, this.#payments);
    const answer = await this.#ask('checkout', () => shopper.checkout(key));
    // Without an answer the same wish is repeated; with one, the next payment is another.
    const isPassing = !answer.ok && (answer.code === 'busy' || answer.code === 'rate-limited');
    if (wasAnswered(answer) && !isPassing) this.#payments++;
  }

  #takeTickets(order: OrderMessage): void {
    const { tally, told } = this.#parts;
    tally.seatsTold += order.seats.length;
    told.push(...toldSeatsOf(this.number, order));
    if (order.tickets.length !== order.seats.length)
      this.#diary.unexpected('a confirmed order lacks tickets');
    this.#goAs('owner');
  }

  async #takeDecline(shopper: Shopper, order: OrderMessage): Promise<void> {
    shopper.answeredOrders.add(order.id);
    if (order.status !== 'declined') {
      this.#diary.unexpected(`an order was ${order.status}: ${order.reason}`);
      return;
    }
    this.#declines++;
    this.#diary.note('a payment was declined');
    const hasHadEnough = this.#declines >= PAYMENTS_MAX || shopper.random() < HAS_HAD_ENOUGH;
    if (hasHadEnough || this.#goingHome) await this.#leave(shopper, 'declined');
  }

  /** Gives up the place and with it the hold, so that others get the seats. */
  async #leave({ client }: Shopper, fate: Fate): Promise<void> {
    if (client.view.connection.state === 'open') await this.#ask('leave', () => client.leave());
    this.#goAs(fate);
  }

  async #ask<A extends Answer>(what: string, request: () => Promise<A>): Promise<A> {
    const lossesBefore = this.#diary.losses;
    const answer = await request();
    if (this.isGone || answer.ok) return answer;
    this.#askedToWaitMs = answer.retryAfterMs;
    this.#diary.refused(what, answer, lossesBefore);
    return answer;
  }

  #goAs(fate: Fate): void {
    if (this.isGone) return;
    this.#fate = fate;
    if (fate === 'unanswered') this.#diary.unanswered(this.#shopper?.view.connection);
    this.#parts.tally.fates[fate]++;
    this.#finish(fate);
    this.#shopper?.hurry();
    this.#shopper?.client.stop();
  }
}
