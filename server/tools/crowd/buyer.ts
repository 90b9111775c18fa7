import type { Random } from '@stampede/shared/platform/random.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type {
  Answer,
  ClientChange,
  Refused,
  StampedeClient,
} from '@stampede/shared/client/stampede-client.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { AVAILABLE, HELD } from '@stampede/shared/seat-map/seat-status.ts';
import { Diary } from './diary.ts';
import type { RunKeys, ToldSeat } from './ledger.ts';
import { type Pace, thinkTime } from './pace.ts';
import type { Fate, Tally } from './report.ts';
import { chooseSeats, chooseSections, type Desirability, statusOf } from './seat-choice.ts';
import { type Situation, situationOf } from './situation.ts';
import type { CrowdShow } from './ticket-office.ts';

/** What a buyer needs of the world; the same for all but their own connection and dice. */
export interface BuyerParts {
  readonly show: CrowdShow;
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

/** The part of the protocol client that a buyer uses. */
export type BuyerClient = Pick<
  StampedeClient,
  | 'view'
  | 'onChange'
  | 'start'
  | 'stop'
  | 'enter'
  | 'join'
  | 'leave'
  | 'watch'
  | 'hold'
  | 'release'
  | 'checkout'
>;

export interface BuyerIdentity {
  readonly number: number;
  /** Seats wanted. */
  readonly wish: number;
  readonly random: Random;
  /** Makes the client once there is a session; null if there is none to be had. */
  readonly openClient: () => Promise<BuyerClient | null>;
}

/** Sections looked at together: as much as fits a screen. */
const SECTIONS_WATCHED = 2;
/** Some find better seats in their hands less tempting, put them back once, and look again. */
const CHANGES_MIND = 0.04;
/** After a decline some have had enough at once; the others try again so often. */
const HAS_HAD_ENOUGH = 0.3;
const PAYMENTS_MAX = 3;
/** What a buyer is doing while the world changes around them. */
type Doing = 'waiting' | 'thinking' | 'asking' | 'gone';

/**
 * One simulated buyer. Whatever happens, they read their situation afresh, think for a moment, and do the one thing
 * that it asks for; then the same again, until they own tickets or know that they won't.
 */
export class Buyer {
  readonly number: number;
  readonly finished: Promise<Fate>;
  readonly #parts: BuyerParts;
  readonly #identity: BuyerIdentity;
  readonly #finish: (fate: Fate) => void;
  readonly #diary: Diary;
  /** Declined or voided orders that have been taken in. */
  readonly #answeredOrders = new Set<string>();
  #client: BuyerClient | null = null;
  #doing: Doing = 'waiting';
  #cancelThought: () => void = nothing;
  #goingHome = false;
  /** Nothing free is known anywhere: only news helps. */
  #hopeless = false;
  #lostSeats: ReadonlySet<number> = new Set();
  /** The server asked to wait this long before the next request. */
  #askedToWaitMs = 0;
  #hasJoined = false;
  #hasClicked = false;
  #mayChangeMind = true;
  #payments = 0;
  #declines = 0;

  constructor(parts: BuyerParts, identity: BuyerIdentity) {
    this.number = identity.number;
    this.#parts = parts;
    this.#identity = identity;
    this.#diary = new Diary(parts.tally, identity.number);
    const { promise, resolve } = Promise.withResolvers<Fate>();
    this.finished = promise;
    this.#finish = resolve;
  }

  /** Where the buyer stands, for whoever watches the crowd. */
  get situation(): Situation['at'] {
    return this.#client ? situationOf(this.#client.view, this.#answeredOrders).at : 'away';
  }

  get seatsHeld(): number {
    return this.#client?.view.hold?.seats.length ?? 0;
  }

  get isGone(): boolean {
    return this.#doing === 'gone';
  }

  /** Sets out. Called once. */
  async start(): Promise<void> {
    const client = await this.#identity.openClient();
    if (this.isGone) return;
    if (!client) {
      this.#goAs('unanswered');
      return;
    }
    this.#client = client;
    client.onChange((change) => {
      this.#hear(change);
    });
    client.start();
    const { id, map } = this.#parts.show;
    const entered = await client.enter(id, map);
    if (entered.ok) return;
    this.#takeRefusal('enter', entered, 0);
    // The client itself goes on trying where that may help.
    if (entered.code === 'show-unknown') this.#goAs('unanswered');
  }

  /** Ends shopping: waits for the outcome of a payment, else gives back what is held and leaves. */
  goHome(): void {
    this.#goingHome = true;
    if (!this.#client) this.#goAs('unanswered');
    if (this.#doing === 'thinking') {
      this.#cancelThought();
      this.#doing = 'waiting';
    }
    this.#lookUp();
  }

  /** Leaves in this moment, whatever is under way. */
  vanish(): void {
    this.#goAs('unanswered');
  }

  #hear(change: ClientChange): void {
    if (this.isGone) return;
    if (change.kind === 'connection') this.#noteConnection();
    else if (change.kind === 'hold' && change.ended) this.#noteEnd(change.ended.reason);
    else if (change.kind === 'seats' || change.kind === 'summaries') {
      // Most news comes while there is hope anyway, and a thousand buyers hear all of it.
      if (!this.#hopeless || !this.#givesHope(change)) return;
      this.#hopeless = false;
    }
    this.#lookUp();
  }

  #noteConnection(): void {
    const connection = this.#client?.view.connection;
    if (!connection) return;
    this.#diary.connection(connection);
    if (connection.state === 'stopped') this.#goAs('unanswered');
  }

  #noteEnd(reason: string): void {
    if (reason === 'expired') this.#diary.note('a hold ran out');
    if (reason === 'lost') this.#diary.unexpected('held seats were lost to somebody else');
  }

  #givesHope(change: Extract<ClientChange, { kind: 'seats' | 'summaries' }>): boolean {
    if (change.kind === 'summaries') return change.sections.some((section) => this.#mayHaveFree(section));
    // Who wants one seat is also helped by the news that it is sold: then the waiting has an end.
    const helps = (status: number): boolean =>
      this.#parts.onlySeat === null ? status === AVAILABLE : status !== HELD;
    return change.changes === null || change.changes.some(({ status }) => helps(status));
  }

  /** Reads the situation and, if it asks for something, thinks about it. */
  #lookUp(): void {
    if (this.#doing !== 'waiting' || !this.#client) return;
    if (this.#diary.isStuck) {
      this.#goAs('unanswered');
      return;
    }
    const delayMs = this.#thinkingTime(situationOf(this.#client.view, this.#answeredOrders));
    if (delayMs === null) return;
    this.#doing = 'thinking';
    this.#cancelThought = this.#parts.clock.after(delayMs, () => {
      this.#doing = 'waiting';
      this.#act().catch((cause: unknown) => {
        this.#diary.unexpected(`the crowd itself broke: ${String(cause)}`);
        this.#goAs('unanswered');
      });
    });
  }

  /** Milliseconds before doing what a situation asks for; null if it asks for nothing. */
  #thinkingTime({ at }: Situation): number | null {
    const { pace } = this.#parts;
    const { random } = this.#identity;
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
      case 'shopping': {
        if (this.#hopeless) return null;
        const isFirstLook = this.#client?.view.sections.size === 0;
        return this.#askedToWaitMs + thinkTime(isFirstLook ? pace.look : pace.again, random);
      }
    }
  }

  /** Does what the situation asks for now; it may have changed since the thought began. */
  async #act(): Promise<void> {
    const client = this.#client;
    if (!client || this.isGone) return;
    const situation = situationOf(client.view, this.#answeredOrders);
    this.#askedToWaitMs = 0;
    if (situation.at === 'owner') this.#takeTickets(situation.order);
    else if (situation.at === 'turned-down') await this.#takeDecline(client, situation.order);
    else if (situation.at === 'over') await this.#leave(client, 'refused');
    else if (this.#goingHome && situation.at !== 'paying') await this.#leave(client, 'unanswered');
    else if (situation.at === 'outside') await this.#join(client);
    else if (situation.at === 'holding') await this.#decideOnHold(client);
    else if (situation.at === 'shopping') await this.#shop(client);
    this.#lookUp();
  }

  async #join(client: BuyerClient): Promise<void> {
    this.#hasJoined = true;
    await this.#ask('join', () => client.join());
  }

  async #shop(client: BuyerClient): Promise<void> {
    const { show, desirability, onlySeat } = this.#parts;
    const { random, wish } = this.#identity;
    if (onlySeat !== null) {
      await this.#shopFor(client, onlySeat);
      return;
    }
    const avoid = this.#lostSeats;
    const seats = chooseSeats(
      { map: show.map, desirability, watched: client.view.sections, count: wish, avoid },
      random,
    );
    this.#lostSeats = new Set();
    if (seats.length > 0) {
      await this.#hold(client, seats);
      return;
    }
    const { sections } = client.view;
    const mayBeElsewhere = (section: number): boolean => !sections.has(section) && this.#mayHaveFree(section);
    const elsewhere = chooseSections(desirability, mayBeElsewhere, SECTIONS_WATCHED, random);
    if (elsewhere.length > 0) await this.#ask('watch', () => client.watch(elsewhere));
    // What was avoided this time may be free again without any news of it: another look, then.
    else this.#hopeless = avoid.size === 0;
  }

  /** Everybody clicks once without a look: no other seat will do, and once it is sold there is nothing to stay for. */
  async #shopFor(client: BuyerClient, seat: number): Promise<void> {
    const { map } = this.#parts.show;
    const status = statusOf(map, client.view.sections, seat);
    const wasJustLost = this.#lostSeats.has(seat);
    this.#lostSeats = new Set();
    if (!this.#hasClicked) await this.#hold(client, [seat]);
    else if (status === undefined) await this.#ask('watch', () => client.watch([map.sectionOf[seat] ?? 0]));
    else if (status === AVAILABLE && !wasJustLost) await this.#hold(client, [seat]);
    else if (status === AVAILABLE || status === HELD) this.#hopeless = !wasJustLost;
    else await this.#leave(client, 'refused');
  }

  async #hold(client: BuyerClient, seats: readonly number[]): Promise<void> {
    const { tally, stopwatch } = this.#parts;
    this.#hasClicked = true;
    const sentAt = stopwatch();
    const answer = await this.#ask('hold', () => client.hold(seats));
    const wasAnswered = answer.ok || (answer.code !== 'disconnected' && answer.code !== 'timed-out');
    if (wasAnswered) tally.holdLatenciesMs.push(stopwatch() - sentAt);
    if (answer.ok) {
      tally.note('seats held');
      if (!seats.every((seat) => answer.hold.seats.includes(seat))) {
        this.#diary.unexpected('a hold was granted without the seats that were asked for');
      }
    } else if (answer.code === 'seat-taken') {
      this.#lostSeats = new Set(answer.seats);
    }
  }

  async #decideOnHold(client: BuyerClient): Promise<void> {
    const { random } = this.#identity;
    if (this.#mayChangeMind && random() < CHANGES_MIND) {
      this.#mayChangeMind = false;
      this.#diary.note('changed their mind and put seats back');
      await this.#ask('release', () => client.release());
      return;
    }
    this.#mayChangeMind = false;
    const { map, prices } = this.#parts.show;
    const seats = client.view.hold?.seats ?? [];
    const amount = seats.reduce((sum, seat) => sum + (prices[map.priceLevel[seat] ?? -1] ?? 0), 0);
    const idempotencyKey = this.#parts.keys.keyOf(this.number, this.#payments);
    const answer = await this.#ask('checkout', () => client.checkout({ idempotencyKey, amount }));
    // Without an answer the same wish is repeated; with one, the next payment is another.
    const isAnswered =
      answer.ok || !['timed-out', 'disconnected', 'busy', 'rate-limited'].includes(answer.code);
    if (isAnswered) this.#payments++;
  }

  #takeTickets(order: OrderMessage): void {
    const { tally, told } = this.#parts;
    tally.seatsTold += order.seats.length;
    order.seats.forEach((seat, index) => {
      told.push({ buyer: this.number, orderId: order.id, seat, ticketCode: order.tickets[index] ?? '' });
    });
    if (order.tickets.length !== order.seats.length)
      this.#diary.unexpected('a confirmed order lacks tickets');
    this.#goAs('owner');
  }

  async #takeDecline(client: BuyerClient, order: OrderMessage): Promise<void> {
    this.#answeredOrders.add(order.id);
    if (order.status !== 'declined') {
      this.#diary.unexpected(`an order was ${order.status}: ${order.reason}`);
      return;
    }
    this.#declines++;
    this.#diary.note('a payment was declined');
    const hasHadEnough = this.#declines >= PAYMENTS_MAX || this.#identity.random() < HAS_HAD_ENOUGH;
    if (hasHadEnough || this.#goingHome) await this.#leave(client, 'declined');
  }

  /** Gives up the place and with it the hold, so that others get the seats. */
  async #leave(client: BuyerClient, fate: Fate): Promise<void> {
    if (client.view.connection.state === 'open') await this.#ask('leave', () => client.leave());
    if (!this.isGone) this.#goAs(fate);
  }

  async #ask<A extends Answer>(what: string, request: () => Promise<A>): Promise<A> {
    this.#doing = 'asking';
    const lossesBefore = this.#diary.losses;
    const answer = await request();
    if (this.isGone) return answer;
    this.#doing = 'waiting';
    if (!answer.ok) this.#takeRefusal(what, answer, lossesBefore);
    return answer;
  }

  #takeRefusal(what: string, refused: Refused, lossesBefore: number): void {
    if (this.isGone) return;
    this.#askedToWaitMs = refused.retryAfterMs;
    this.#diary.refused(what, refused, lossesBefore);
  }

  #mayHaveFree(section: number): boolean {
    return this.#client?.view.summaries.get(section)?.free !== 0;
  }

  #goAs(fate: Fate): void {
    if (this.isGone) return;
    this.#doing = 'gone';
    this.#cancelThought();
    if (fate === 'unanswered') this.#diary.unanswered(this.#client?.view.connection);
    this.#parts.tally.fates[fate]++;
    this.#finish(fate);
    this.#client?.stop();
  }
}

function nothing(): void {
  // No thought to be given up yet.
}
