import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { CatalogStore } from './catalog/catalog-store.ts';
import { seatPrice, type Show } from './catalog/show.ts';
import type { OrderStore } from './checkout/order-store.ts';
import type { PaymentLog, PaymentRequest } from './checkout/payment-log.ts';
import { KEEP_MARGIN_MS } from './checkout/payment-terms.ts';
import type { Config } from './config.ts';
import { LiveSale, type SaleOnTerms } from './gateway/live-sale.ts';
import { LiveSales } from './gateway/live-sales.ts';
import type { ShowId } from './platform/ids.ts';
import type { Audience } from './seating/audience.ts';
import { seatsPerNetwork } from './seating/seat-notes.ts';
import type { SeatFacts, SeatRules, SeatStore } from './seating/seat-store.ts';
import type { ShowFeed } from './seating/show-feed.ts';
import { rulesOf, type WaitingRoomSettings } from './waiting-room/waiting-room-rules.ts';
import type { WaitingRoomStore } from './waiting-room/waiting-room-store.ts';

export interface OpenShowsParts {
  readonly catalog: CatalogStore;
  readonly orders: OrderStore;
  readonly paymentLog: PaymentLog;
  readonly seats: SeatStore;
  readonly feed: ShowFeed;
  readonly audience: Audience;
  readonly clock: Clock;
  readonly config: Pick<Config, 'seatsHeldPerAddressPercent'>;
  readonly waitingRoom: WaitingRoomStore;
  readonly waitingRoomSettings: WaitingRoomSettings;
  readonly countSeatChanges: (count: number) => void;
}

/** Brings the shows of the catalogue to life on this node. */
export class OpenShows {
  readonly #parts: OpenShowsParts;
  readonly #sales = new LiveSales();
  readonly #reopening = new Map<ShowId, Promise<void>>();

  constructor(parts: OpenShowsParts) {
    this.#parts = parts;
  }

  /** Opens every show and returns them. */
  async openAll(): Promise<LiveSales> {
    for (const show of await this.#parts.catalog.shows()) await this.open(show);
    return this.#sales;
  }

  /**
   * Sets a show up anew whose live store lost it: sold seats from the database, unfinished payments from the log, a
   * new epoch. Any number of nodes may do so at once; the store lets the first.
   */
  reopen(id: ShowId): Promise<void> {
    const running = this.#reopening.get(id);
    if (running) return running;
    const sale = this.#sales.get(id);
    if (!sale) return Promise.resolve();
    const work = this.#openSeats(sale.show, sale.seatRules).finally(() => this.#reopening.delete(id));
    this.#reopening.set(id, work);
    return work;
  }

  /** Opens a show that was added while this node runs. */
  async open(show: Show): Promise<void> {
    const { waitingRoom, audience, clock, feed, countSeatChanges } = this.#parts;
    const terms = this.#termsOf(show);
    await this.#openSeats(show, terms.seatRules);
    const sale = new LiveSale(terms, { waitingRoom, audience, clock, countSeatChanges });
    await feed.follow(show.id, sale);
    this.#sales.add(sale);
  }

  /** Goes on with a show that was edited or paused. */
  change(show: Show): void {
    this.#sales.get(show.id)?.changeTerms(this.#termsOf(show));
  }

  #termsOf(show: Show): SaleOnTerms {
    const waitingRules = rulesOf(show, this.#parts.waitingRoomSettings);
    return {
      show,
      seatRules: seatRulesOf(show, this.#parts.config.seatsHeldPerAddressPercent),
      waitingRules,
    };
  }

  /** The facts are read only where they are needed: unfinished payments of a long log take their time. */
  async #openSeats(show: Show, rules: SeatRules): Promise<void> {
    const { seats } = this.#parts;
    if (await seats.isOpen(show.id)) return;
    await seats.open(rules, await factsOf(show, this.#parts));
  }
}

function seatRulesOf({ id, seatMap, sale }: Show, seatsHeldPerAddressPercent: number): SeatRules {
  return {
    show: id,
    seatCount: seatMap.seatCount,
    sectionOf: seatMap.sectionOf,
    sectionCount: seatMap.sections.length,
    seatsPerBuyer: sale.seatsPerBuyer,
    seatsPerNetwork: seatsPerNetwork(seatMap.seatCount, seatsHeldPerAddressPercent),
    holdLifetimeMs: sale.holdLifetimeMs,
    extensionsMax: sale.extensionsMax,
  };
}

async function factsOf(show: Show, { paymentLog, orders }: OpenShowsParts): Promise<SeatFacts> {
  // The log is read first: an order settled in between is then in both, and sold outranks its checkout.
  const pending = await paymentLog.pending(show.id);
  // The log hears of an order's end after the database does; who was declined before a crash has gone since.
  const final = new Set((await orders.byIds(pending.map((request) => request.orderId))).map(({ id }) => id));
  const unfinished = pending.filter((request) => !final.has(request.orderId));
  const sold = await orders.soldSeats(show.id);
  return { sold, checkouts: unfinished.map((request) => checkoutOf(show, request)) };
}

function checkoutOf(show: Show, request: PaymentRequest): SeatFacts['checkouts'][number] {
  const { session, holdToken, orderId, idempotencyKey, seats, amount, createdAt: begunAt, payBy } = request;
  const prices = seats.map((seat) => seatPrice(show, seat));
  const keepUntil = payBy + KEEP_MARGIN_MS;
  return { session, holdToken, orderId, idempotencyKey, seats, prices, amount, begunAt, keepUntil };
}
