import type { OrderStatus } from '@stampede/shared/protocol/messages.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { ShowId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { answerWithin } from '../platform/retry.ts';
import { repeat } from '../platform/repeat.ts';
import type { PaymentGateway } from '../payments/payment-gateway.ts';
import type { SeatRules, SeatStore, Settlement } from '../seating/seat-store.ts';
import { type Order, orderMessage, type OrderStore, type OutboxRecord } from './order-store.ts';
import { type Verdict, voidReasons } from './order-store.ts';
import { outcomeEffects } from './payment-saga.ts';
import { GATEWAY_TIMEOUT_MS, STORE_TIMEOUT_MS } from './payment-terms.ts';

/** Tells other systems (mails, accounting, entrance) how orders ended. */
export interface OrderEvents {
  /**
   * Resolves when the outcomes are durable where others read them. Called before an order's outbox record is marked,
   * and again until that has happened: every outcome is told at least once.
   */
  publish(orders: readonly Order[]): Promise<void>;
}

export interface SettlementsParts {
  readonly outside: Outside;
  readonly orders: OrderStore;
  readonly seats: SeatStore;
  readonly gateway: PaymentGateway;
  /** Null for a show that this node doesn't know (yet): its outcomes wait for a node that does. */
  readonly seatRules: (show: ShowId) => Promise<SeatRules | null>;
  /** The buyer has their tickets: frees the admission for the next. May come twice for one order. */
  readonly finished: (order: Order) => Promise<void>;
  /** Where other systems hear of outcomes; without it nobody does. */
  readonly events?: OrderEvents | null;
  /** Told of each order settled here, and how long that took since its checkout, in milliseconds. */
  readonly settled?: (status: OrderStatus, tookMs: number) => void;
}

/** A verdict that is final, and the work of carrying it out; or why it isn't. */
type Settled = { readonly order: Order; readonly carriedOut: Promise<void> } | { readonly cause: unknown };

/**
 * Verdicts of one transaction: enough to share a disk sync, few enough that the embedded database, which works on
 * the process's only thread, holds up its sockets for some tens of milliseconds at most.
 */
const VERDICTS_MAX = 64;
/** A payment took seconds; a few milliseconds more let its neighbours share the commit. */
const GATHER_MS = 10;
/**
 * Verdicts of a failed batch that fail alone too, before the rest is given up: by then the database is to blame, and the
 * payment log delivers them again.
 */
const LONE_FAILURES_MAX = 3;
/**
 * Telling others and marking wait so long for company: no buyer waits for them, and each costs Kafka and the database a
 * write to disk. A process that dies meanwhile leaves so many more outbox records to repeat, which changes nothing.
 */
const TELL_GATHER_MS = 50;
const TELL_MAX = 512;
/** Outbox records remembered as carried out and not marked yet [P7]. */
const CARRIED_OUT_MAX = 10_000;
const RELAY_INTERVAL_MS = 5_000;
const RELAY_PAGE_LENGTH = 500;

const settlementKinds = {
  confirmed: 'sold',
  declined: 'returned',
  voided: 'voided',
  refunded: 'voided',
} as const;

/**
 * Makes verdicts final and carries out what final orders ask for outside the database [P2].
 *
 * Verdicts that come within a tick, or while a commit is under way, share one transaction, whatever the delivery they
 * came in; what was committed together is told to the seats together. If the process dies before the commit, no
 * verdict is final and the payment log delivers all of them again; after it, each has its outbox record.
 *
 * Carrying out may be done again: the seat store recognises what it has applied, the gateway what it has voided. Only
 * when all of it was seen to happen is the outbox record marked. Until then the relay repeats it: at start what a dead
 * process left, then every few seconds what a failing seat store or payment gateway left [P3]. Any number of nodes may
 * do so.
 */
export class Settlements {
  readonly #parts: SettlementsParts;
  readonly #commits: GatheredCalls<Verdict, Settled>;
  readonly #tellings: GatheredCalls<OutboxRecord, null>;
  readonly #underWay = new Set<number>();
  /** Records whose effects were seen to happen here, but others have not been told, or the mark is missing. */
  readonly #carriedOut = new Set<number>();
  #stopRelay: () => Promise<void> = async () => undefined;

  constructor(parts: SettlementsParts) {
    this.#parts = parts;
    const after = (ms: number) => (task: () => void) => void parts.outside.clock.after(ms, task);
    this.#commits = new GatheredCalls((verdicts) => this.#commit(verdicts), after(GATHER_MS), {
      itemsMax: VERDICTS_MAX,
      callsMax: 1,
    });
    this.#tellings = new GatheredCalls((records) => this.#tellAndMark(records), after(TELL_GATHER_MS), {
      itemsMax: TELL_MAX,
      callsMax: 1,
    });
  }

  /** Starts the relay. Resolves after its first round; one that fails is reported and the next comes all the same. */
  async start(): Promise<void> {
    const { clock, report } = this.#parts.outside;
    const onError = (cause: unknown): void => report('the outbox could not be read', cause);
    await this.#relay().catch(onError);
    this.#stopRelay = repeat(clock, RELAY_INTERVAL_MS, () => this.#relay(), onError);
  }

  stop(): Promise<void> {
    return this.#stopRelay();
  }

  /** Resolves when the verdict is final and was carried out, or its outbox record answers for that; else rejects. */
  async settle(verdict: Verdict): Promise<void> {
    const settled = await this.#commits.add(verdict);
    if ('cause' in settled) throw settled.cause;
    const { order, carriedOut } = settled;
    this.#parts.settled?.(order.status, order.settledAt - order.createdAt);
    await carriedOut;
  }

  /**
   * Carries out what final orders ask for, and marks their outbox records when all has happened. Rejects if something
   * failed, which holds up nothing else; such a record stays for the relay.
   */
  async #carryOut(records: readonly OutboxRecord[]): Promise<void> {
    const ours = records.filter(({ id }) => !this.#underWay.has(id));
    for (const { id } of ours) this.#underWay.add(id);
    try {
      // As long as others can't be told, the relay comes again. What has happened here isn't repeated for that.
      const todo = ours.filter(({ id }) => !this.#carriedOut.has(id));
      const failed = await this.#applyAll(todo.map(({ order }) => order));
      const applied = ours.filter(({ order }) => !failed.has(order));
      for (const { id } of applied) this.#remember(id);
      await Promise.all(applied.map((record) => this.#tellings.add(record)));
      for (const { id } of applied) this.#carriedOut.delete(id);
      requireNone(failed);
    } finally {
      for (const { id } of ours) this.#underWay.delete(id);
    }
  }

  /** Carries out once more what final orders ask for, whatever became of their outbox records; rejects as above. */
  async repeat(orders: readonly Order[]): Promise<void> {
    requireNone(await this.#applyAll(orders));
  }

  /** Where a batch fails, each of it is tried alone: one that the database will not have must not keep the others. */
  async #commit(verdicts: readonly Verdict[]): Promise<readonly Settled[]> {
    const together = await this.#tryCommit(verdicts);
    if (verdicts.length === 1 || !together.some(isFailure)) return together;
    const settled: Settled[] = [];
    for (const one of verdicts) {
      settled.push(...(await this.#tryCommit([one])));
      const [first] = settled;
      const isHopeless = settled.length === LONE_FAILURES_MAX && settled.every(isFailure);
      if (first && isHopeless) return verdicts.map(() => first);
    }
    return settled;
  }

  async #tryCommit(verdicts: readonly Verdict[]): Promise<readonly Settled[]> {
    const { clock, report } = this.#parts.outside;
    try {
      const records = await this.#database((orders) => orders.settle(verdicts, clock.now()));
      // From here on the outbox answers for the orders, so a failure is no reason for another delivery.
      const carriedOut = this.#carryOut(records).catch((cause: unknown) =>
        report('outcomes are left to the relay', cause),
      );
      return records.map(({ order }) => ({ order, carriedOut }));
    } catch (cause) {
      return verdicts.map(() => ({ cause }));
    }
  }

  /**
   * What failed, by its order. One effect that fails, a seat store that is down say, is no reason to leave a buyer
   * charged meanwhile.
   */
  async #applyAll(orders: readonly Order[]): Promise<ReadonlyMap<Order, readonly unknown[]>> {
    const failed = new Map<Order, unknown[]>();
    const attempt = (of: readonly Order[], work: Promise<unknown>): Promise<unknown> =>
      work.catch((cause: unknown) => {
        for (const order of of) failed.set(order, [...(failed.get(order) ?? []), cause]);
      });
    const byShow = [...Map.groupBy(orders, (order) => order.show)];
    await Promise.all(byShow.map(([show, ofShow]) => attempt(ofShow, this.#settleShow(show, ofShow))));
    await Promise.all(
      orders.map(async (order) => {
        const effects = outcomeEffects(order.status);
        if (effects.includes('void-payment')) await attempt([order], this.#voidPayment(order));
        if (effects.includes('finish-visit')) await this.#finishVisit(order);
      }),
    );
    return failed;
  }

  #voidPayment({ id, amount, currency, paymentReference }: Order): Promise<void> {
    const { gateway, outside } = this.#parts;
    const charge = { orderId: id, amount, currency };
    return answerWithin(outside.clock, GATEWAY_TIMEOUT_MS, 'voiding a payment', () =>
      gateway.void(charge, paymentReference),
    );
  }

  /** Not worth keeping the record for: an admission that isn't freed here ends at its deadline. */
  #finishVisit(order: Order): Promise<void> {
    const { finished, outside } = this.#parts;
    return finished(order).catch((cause: unknown) =>
      outside.report('an admission could not be freed', cause),
    );
  }

  async #settleShow(show: ShowId, orders: readonly Order[]): Promise<void> {
    const rules = await this.#inSeats(() => this.#parts.seatRules(show));
    // Shows are added while nodes run. To pass over one that a neighbour sells already would mark its outcomes as
    // applied: the seat would come back on sale, and its buyer never hear of the tickets [P2, P3].
    if (!rules) throw new Error(`show ${show} is not in this node's catalogue`);
    // First, so that a seat which its loser's hold gives up is on sale for nobody in between.
    await this.#giveToOwners(rules, orders);
    await this.#inSeats((seats) => seats.settle(rules, orders.map(settlementOf)));
  }

  /**
   * Somebody could hold and pay what was sold: the seat store has lost that sale. The database knows whose it is, and
   * nobody else shall pay for it in vain [P1].
   */
  async #giveToOwners(rules: SeatRules, orders: readonly Order[]): Promise<void> {
    const contested = new Set(
      orders.flatMap((order) => (order.reason === voidReasons.seatSold ? order.seats : [])),
    );
    if (contested.size === 0) return;
    const range = { from: Math.min(...contested), to: Math.max(...contested) + 1 };
    const owners = await this.#database((database) => database.soldSeats(rules.show, range));
    const sold = owners.filter(({ seat }) => contested.has(seat));
    await this.#inSeats((seats) => seats.mend(rules, { sold, unsold: [], counts: [] }));
  }

  /** In this order: a record that is marked is never told again. */
  async #tellAndMark(records: readonly OutboxRecord[]): Promise<readonly null[]> {
    const { events, outside } = this.#parts;
    await events?.publish(records.map(({ order }) => order));
    const ids = records.map(({ id }) => id);
    await this.#database((orders) => orders.markApplied(ids, outside.clock.now()));
    return records.map(() => null);
  }

  #remember(id: number): void {
    this.#carriedOut.add(id);
    const [oldest] = this.#carriedOut;
    if (this.#carriedOut.size > CARRIED_OUT_MAX && oldest !== undefined) this.#carriedOut.delete(oldest);
  }

  /** One round through everything that is pending; what fails holds up nothing behind it. */
  async #relay(): Promise<void> {
    const { report } = this.#parts.outside;
    for (let after = 0; ;) {
      const from = after;
      const page = await this.#database((orders) => orders.pendingOutbox(RELAY_PAGE_LENGTH, from));
      await this.#carryOut(page).catch((cause: unknown) => report('the relay goes on later', cause));
      const last = page.at(-1);
      if (!last || page.length < RELAY_PAGE_LENGTH) return;
      after = last.id;
    }
  }

  #database<T>(call: (orders: OrderStore) => Promise<T>): Promise<T> {
    const { orders, outside } = this.#parts;
    return answerWithin(outside.clock, STORE_TIMEOUT_MS, 'the order database', () => call(orders));
  }

  #inSeats<T>(call: (seats: SeatStore) => Promise<T>): Promise<T> {
    const { outside, seats } = this.#parts;
    return answerWithin(outside.clock, STORE_TIMEOUT_MS, 'the seat store', () => call(seats));
  }
}

function requireNone(failed: ReadonlyMap<Order, readonly unknown[]>): void {
  if (failed.size === 0) return;
  const causes = [...failed.values()].flat();
  throw new AggregateError(causes, `${failed.size} outcomes could not be applied yet`);
}

function isFailure(settled: Settled): boolean {
  return 'cause' in settled;
}

/** What an order's outcome means to its seats. */
export function settlementOf(order: Order): Settlement {
  const { session, holdToken, status } = order;
  return { kind: settlementKinds[status], session, holdToken, order: orderMessage(order) };
}
