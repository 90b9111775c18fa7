import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { LimitFunction } from 'p-limit';
import type { ShowId } from '../platform/ids.ts';
import type { NextTurn } from '../platform/turn.ts';
import type { SeatRules, SeatStore, Settlement } from '../seating/seat-store.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { OrderEvents } from './order-events.ts';
import { orderMessage } from './order-message.ts';
import { type Order, type OrderStore, type OutboxRecord, voidReasons } from './order-store.ts';
import { answerWithin } from '../platform/outside-call.ts';
import type { PaymentGateway } from './payment-gateway.ts';
import { type OutcomeEffect, outcomeEffects } from './payment-saga.ts';
import { GATEWAY_TIMEOUT_MS, STORE_TIMEOUT_MS } from './payment-terms.ts';

export interface OutcomeEffectsParts {
  readonly orders: OrderStore;
  readonly seats: SeatStore;
  readonly gateway: PaymentGateway;
  /** Bounds the calls to the gateway under way, shared with whoever else calls it. */
  readonly gatewayCalls: LimitFunction;
  /** Null for a show that this node has not opened (yet): its outcomes wait for a node that has. */
  readonly seatRules: (show: ShowId) => SeatRules | null;
  /** The buyer has their tickets: frees the admission for the next. May come twice for one order. */
  readonly finished: (order: Order) => Promise<void>;
  /** Where other systems hear of outcomes; without it nobody does. */
  readonly events?: OrderEvents | undefined;
  readonly clock: Clock;
  readonly nextTurn: NextTurn;
  readonly report: (message: string, cause: unknown) => void;
}

/** Orders of one call to the seat store, and of one telling and marking. */
const BOUNDS = { itemsMax: 512, callsMax: 1 };

/**
 * Telling others and marking wait so long for company: no buyer waits for them, and each costs Kafka and the database a
 * write to disk. A process that dies meanwhile leaves so many more outbox records to repeat, which changes nothing.
 */
const TELL_GATHER_MS = 50;

/** Outbox records remembered as carried out and not marked yet [P7]. */
const CARRIED_OUT_MAX = 10_000;

const settlementKinds = {
  confirmed: 'sold',
  declined: 'returned',
  voided: 'voided',
  refunded: 'voided',
} as const;

/**
 * Carries out what final orders ask for outside the database. Everything here may be done again: the seat store
 * recognises what it has applied, the gateway what it has voided. Only when all of it was seen to happen is the
 * outbox record marked; if the process dies before that, the relay of the next one starts over.
 */
export class OutcomeEffects {
  readonly #parts: OutcomeEffectsParts;
  readonly #settlements: GatheredCalls<Order, Error | null>;
  readonly #tellings: GatheredCalls<OutboxRecord, null>;
  readonly #underWay = new Map<number, Promise<void>>();
  /** Records whose effects were seen to happen here, but others have not been told, or the mark is missing. */
  readonly #carriedOut = new Set<number>();

  constructor(parts: OutcomeEffectsParts) {
    this.#parts = parts;
    this.#settlements = new GatheredCalls((orders) => this.#settleSeats(orders), parts.nextTurn, BOUNDS);
    const gather = (task: () => void): void => void parts.clock.after(TELL_GATHER_MS, task);
    this.#tellings = new GatheredCalls((records) => this.#tellAndMark(records), gather, BOUNDS);
  }

  /**
   * Carries out a final order's effects, and marks its outbox record, if one is given, when all have happened.
   * Rejects if one failed; the record then stays for the relay.
   */
  carryOut(order: Order, outboxId: number | null): Promise<void> {
    if (outboxId === null) return this.#carryOutAll(order);
    const running = this.#underWay.get(outboxId);
    if (running) return running;
    const work = this.#carryOutRecord(order, outboxId).finally(() => this.#underWay.delete(outboxId));
    this.#underWay.set(outboxId, work);
    return work;
  }

  /**
   * As long as others can't be told, the relay comes again and again. What has happened here isn't repeated for that:
   * it would change nothing.
   */
  async #carryOutRecord(order: Order, outboxId: number): Promise<void> {
    if (!this.#carriedOut.has(outboxId)) {
      await this.#carryOutAll(order);
      this.#remember(outboxId);
    }
    await this.#tellings.add({ id: outboxId, order });
    this.#carriedOut.delete(outboxId);
  }

  #remember(outboxId: number): void {
    this.#carriedOut.add(outboxId);
    const [oldest] = this.#carriedOut;
    if (this.#carriedOut.size > CARRIED_OUT_MAX && oldest !== undefined) this.#carriedOut.delete(oldest);
  }

  /** One effect that fails, a seat store that is down say, is no reason to leave a buyer charged meanwhile. */
  async #carryOutAll(order: Order): Promise<void> {
    const failures: unknown[] = [];
    for (const effect of outcomeEffects(order.status)) {
      await this.#carryOutOne(effect, order).catch((cause: unknown) => failures.push(cause));
    }
    if (failures.length > 0)
      throw new AggregateError(failures, `the outcome of order ${order.id} is not applied`);
  }

  async #carryOutOne(effect: OutcomeEffect, order: Order): Promise<void> {
    switch (effect.kind) {
      case 'apply-to-seats': {
        const failure = await this.#settlements.add(order);
        if (failure) throw failure;
        return;
      }
      case 'void-payment':
        return this.#voidPayment(order);
      case 'finish-visit':
        // Not worth keeping the record for: an admission that isn't freed here ends at its deadline.
        return this.#parts
          .finished(order)
          .catch((cause: unknown) => this.#parts.report('an admission could not be freed', cause));
    }
  }

  #voidPayment({ id, amount, currency, paymentReference }: Order): Promise<void> {
    const { clock, gateway, gatewayCalls } = this.#parts;
    const charge = { orderId: id, amount, currency };
    return gatewayCalls(() =>
      answerWithin(clock, GATEWAY_TIMEOUT_MS, 'voiding a payment', () =>
        gateway.void(charge, paymentReference),
      ),
    );
  }

  /** One call per show; a show that fails doesn't fail the others. */
  async #settleSeats(orders: readonly Order[]): Promise<readonly (Error | null)[]> {
    const failures = new Map<ShowId, Error>();
    for (const [show, ofShow] of Map.groupBy(orders, (order) => order.show)) {
      try {
        await this.#settleShow(show, ofShow);
      } catch (cause) {
        failures.set(
          show,
          new Error(`outcomes of show ${show} could not be applied to its seats`, { cause }),
        );
      }
    }
    return orders.map((order) => failures.get(order.show) ?? null);
  }

  async #settleShow(show: ShowId, orders: readonly Order[]): Promise<void> {
    const { clock, seatRules, seats } = this.#parts;
    const rules = seatRules(show);
    // Shows are added while nodes run. To pass over one that a neighbour sells already would mark its outcomes as
    // applied: the seat would come back on sale, and its buyer never hear of the tickets [P2, P3].
    if (!rules) throw new Error(`show ${show} is not open on this node`);
    // First, so that a seat which its loser's hold gives up is on sale for nobody in between.
    await this.#giveToOwners(rules, orders);
    await answerWithin(clock, STORE_TIMEOUT_MS, 'the seat store', () =>
      seats.settle(rules, orders.map(settlementOf)),
    );
  }

  /**
   * Somebody could hold and pay what was sold: the seat store has lost that sale. The database knows whose it is, and
   * nobody else shall pay for it in vain [P1].
   */
  async #giveToOwners(rules: SeatRules, orders: readonly Order[]): Promise<void> {
    const { clock, orders: database, seats } = this.#parts;
    const contested = new Set(
      orders.flatMap((order) => (order.reason === voidReasons.seatSold ? order.seats : [])),
    );
    if (contested.size === 0) return;
    const range = { from: Math.min(...contested), to: Math.max(...contested) + 1 };
    const sold = await answerWithin(clock, STORE_TIMEOUT_MS, 'the order database', () =>
      database.soldSeats(rules.show, range),
    );
    const lost = sold.filter(({ seat }) => contested.has(seat));
    await answerWithin(clock, STORE_TIMEOUT_MS, 'the seat store', () =>
      seats.mend(rules, { sold: lost, unsold: [], counts: [] }),
    );
  }

  /** In this order: a record that is marked is never told again. */
  async #tellAndMark(records: readonly OutboxRecord[]): Promise<readonly null[]> {
    const { clock, events, orders } = this.#parts;
    await events?.publish(records.map(({ order }) => order));
    const ids = records.map(({ id }) => id);
    await answerWithin(clock, STORE_TIMEOUT_MS, 'the order database', () =>
      orders.markApplied(ids, clock.now()),
    );
    return records.map(() => null);
  }
}

/** What an order's outcome means to its seats. */
export function settlementOf(order: Order): Settlement {
  const { session, holdToken, status } = order;
  return { kind: settlementKinds[status], session, holdToken, order: orderMessage(order) };
}
