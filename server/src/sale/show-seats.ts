import { seatPrice, type Show } from '../catalog/show.ts';
import type { OrderStore } from '../checkout/order-store.ts';
import { KEEP_MARGIN_MS } from '../checkout/payment-terms.ts';
import type { PaymentLog, PaymentRequest } from '../payment-log/payment-log.ts';
import type { ShowId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { seatsPerNetwork } from '../seating/seat-notes.ts';
import { EXTENSIONS_MAX, type SeatFacts, type SeatRules, type SeatStore } from '../seating/seat-store.ts';
import type { BusyShows } from './busy-shows.ts';

export interface ShowSeatsParts {
  readonly orders: Pick<OrderStore, 'soldCounts' | 'soldSeats' | 'byIds'>;
  readonly paymentLog: Pick<PaymentLog, 'pending'>;
  readonly seats: SeatStore;
  readonly busy: BusyShows;
  readonly outside: Outside;
}

/** Sees to it that the live store has the seats of the shows that this node deals with. */
export class ShowSeats {
  readonly #parts: ShowSeatsParts;
  readonly #opening = new Map<ShowId, Promise<void>>();

  constructor(parts: ShowSeatsParts) {
    this.#parts = parts;
  }

  /**
   * Sets a show up that the live store has not, or has lost: sold seats from the database, unfinished payments from
   * the log, a new epoch. Any number of nodes may do so at once; the store lets the first.
   */
  open(show: Show, rules: SeatRules): Promise<void> {
    const running = this.#opening.get(show.id);
    if (running) return running;
    const work = this.#open(show, rules).finally(() => this.#opening.delete(show.id));
    this.#opening.set(show.id, work);
    return work;
  }

  /** The facts are read only where they are needed: unfinished payments of a long log take their time. */
  async #open(show: Show, rules: SeatRules): Promise<void> {
    const { seats, busy, outside } = this.#parts;
    if (await seats.isOpen(show.id)) return;
    const facts = await this.#factsOf(show);
    // Somebody has to end their holds.
    if (facts.checkouts.length > 0) await busy.announce([show.id], outside.clock.now());
    await seats.open(rules, facts);
  }

  async #factsOf(show: Show): Promise<SeatFacts> {
    const { paymentLog, orders } = this.#parts;
    // The log is read first: an order settled in between is then in both, and sold outranks its checkout.
    const pending = await paymentLog.pending(show.id);
    // The log hears of an order's end after the database does; who was declined before a crash has gone since.
    const final = new Set(
      (await orders.byIds(pending.map((request) => request.orderId))).map(({ id }) => id),
    );
    const unfinished = pending.filter((request) => !final.has(request.orderId));
    const sold = await orders.soldSeats(show.id);
    return { sold, checkouts: unfinished.map((request) => checkoutOf(show, request)) };
  }
}

export function seatRulesOf({ id, seatMap, sale }: Show, seatsHeldPerAddressPercent: number): SeatRules {
  return {
    show: id,
    seatCount: seatMap.seatCount,
    sectionOf: seatMap.sectionOf,
    sectionCount: seatMap.sections.length,
    seatsPerBuyer: sale.seatsPerBuyer,
    seatsPerNetwork: seatsPerNetwork(seatMap.seatCount, seatsHeldPerAddressPercent),
    holdLifetimeMs: sale.holdLifetimeMs,
    extensionsMax: Math.min(sale.extensionsMax, EXTENSIONS_MAX),
  };
}

function checkoutOf(show: Show, request: PaymentRequest): SeatFacts['checkouts'][number] {
  const { session, holdToken, orderId, idempotencyKey, seats, amount, createdAt: begunAt, payBy } = request;
  const prices = seats.map((seat) => seatPrice(show, seat));
  const keepUntil = payBy + KEEP_MARGIN_MS;
  return { session, holdToken, orderId, idempotencyKey, seats, prices, amount, begunAt, keepUntil };
}
