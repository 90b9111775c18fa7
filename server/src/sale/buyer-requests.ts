import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { ClientMessage, ServerMessage } from '@stampede/shared/protocol/messages.ts';
import type { Show } from '../catalog/show.ts';
import type { BeginCheckout } from '../checkout/begin-checkout.ts';
import type { ListOrders } from '../checkout/list-orders.ts';
import { holdToken, type NetworkTag, type SessionId } from '../platform/ids.ts';
import type { RequestResult } from '../platform/metrics.ts';
import { type Refusal, refuse } from '../platform/outcome.ts';
import { holdStep } from '../seating/seat-steps.ts';
import type { SeatStore } from '../seating/seat-store.ts';
import { sellingRefusal } from '../seating/selling-refusal.ts';
import { joinWaitingRoom, type WaitingRoomParts } from '../waiting-room/waiting-room.ts';
import type { Standing } from '../waiting-room/waiting-room-store.ts';
import { holdMessage, type Sale } from './sale.ts';

/** Where the outcomes of buyers' requests are counted. */
interface RequestCounts {
  countHold(outcome: RequestResult, durationMs: number | null): void;
  countCheckout(outcome: RequestResult): void;
}

export interface BuyerRequestParts {
  readonly waitingRoom: WaitingRoomParts;
  readonly seats: SeatStore;
  readonly checkout: Pick<BeginCheckout, 'run'>;
  readonly orders: Pick<ListOrders, 'run'>;
  /** What is on sale here: of these a buyer's orders may be under way. */
  readonly shows: () => readonly Show[];
  readonly counts: RequestCounts;
  readonly clock: Clock;
}

/** The requests that concern one sale. */
export type SaleRequest = Extract<
  ClientMessage,
  { type: 'join' | 'leave' | 'hold' | 'extend' | 'release' | 'checkout' }
>;

/** Who asks, and from where. */
export interface Buyer {
  readonly session: SessionId;
  /** Null where no limit per network holds. */
  readonly network: NetworkTag | null;
}

/** Turns messages into commands of the rooms, and what they return into messages. */
export class BuyerRequests {
  readonly #parts: BuyerRequestParts;

  constructor(parts: BuyerRequestParts) {
    this.#parts = parts;
  }

  /** Answers one request of a buyer about a sale, and counts what came of it. Rejects if a part is broken. */
  async answer(sale: Sale, buyer: Buyer, message: SaleRequest): Promise<ServerMessage | Refusal> {
    const { clock } = this.#parts;
    const beganAt = clock.now();
    let outcome: RequestResult = 'failed';
    try {
      const answer = await this.#run(sale, buyer, message);
      outcome = 'ok' in answer ? answer.code : 'done';
      return answer;
    } finally {
      this.#count(message.type, outcome, clock.now() - beganAt);
    }
  }

  /** Counts a request that came too soon to be looked at. */
  countOverhasty(type: ClientMessage['type']): void {
    this.#count(type, 'rate-limited', null);
  }

  #count(type: ClientMessage['type'], outcome: RequestResult, durationMs: number | null): void {
    const { counts } = this.#parts;
    if (type === 'hold') counts.countHold(outcome, durationMs);
    if (type === 'checkout') counts.countCheckout(outcome);
  }

  async #run(sale: Sale, buyer: Buyer, message: SaleRequest): Promise<ServerMessage | Refusal> {
    const { requestId } = message;
    const { session } = buyer;
    switch (message.type) {
      case 'join':
        return this.#join(sale, buyer, message);
      case 'leave':
        return this.#leave(sale, session, requestId);
      case 'hold':
        return this.#hold(sale, buyer, message.seats, requestId);
      case 'extend': {
        const { seats, clock } = this.#parts;
        const step = { kind: 'extend', session, holdToken: holdToken(message.holdToken) } as const;
        const [outcome] = await seats.take(sale.seatRules, [step]);
        return outcome.ok ? holdMessage(outcome.value, requestId, clock.now()) : outcome;
      }
      case 'release':
        return this.#release(sale, session, message);
      case 'checkout': {
        const { idempotencyKey, amount } = message;
        const intent = { session, holdToken: holdToken(message.holdToken), idempotencyKey, amount };
        const outcome = await this.#parts.checkout.run(sale.show, sale.seatRules, intent);
        return outcome.ok ? { type: 'order', requestId, order: outcome.value } : outcome;
      }
    }
  }

  async listOrders(session: SessionId, requestId: number): Promise<ServerMessage> {
    const orders = await this.#parts.orders.run(session, this.#parts.shows());
    return { type: 'orders', requestId, orders };
  }

  /** Everything a buyer must know to go on with a sale, its state first and the answer to `enter` last. */
  async describe(sale: Sale, session: SessionId, requestId: number): Promise<ServerMessage[]> {
    const { waitingRoom, seats, clock } = this.#parts;
    const { show } = sale;
    // The database first, because it takes longest: who waits is noted as waiting, and that must not be old news.
    const orders = await this.#parts.orders.run(session, [show]);
    const now = clock.now();
    const [standing, hold] = await Promise.all([
      waitingRoom.store.standing(sale.waitingRules, session),
      seats.holdOf(show.id, session),
    ]);
    const ofShow = orders.filter((order) => order.show === show.id);
    return [
      sale.phaseMessage(),
      sale.standingMessage(session, standing, 0),
      ...this.#receiptOf(sale, session, standing),
      ...(hold ? [holdMessage(hold, 0, now)] : []),
      ...ofShow.map((order): ServerMessage => ({ type: 'order', requestId: 0, order })),
      sale.summaryMessage(),
      sale.enteredMessage(requestId),
    ];
  }

  setPresent(sale: Sale, session: SessionId, present: boolean): Promise<void> {
    const { store } = this.#parts.waitingRoom;
    return store.setPresent(sale.waitingRules, [session], present);
  }

  async #join(
    sale: Sale,
    buyer: Buyer,
    { requestId, receipt }: Extract<SaleRequest, { type: 'join' }>,
  ): Promise<ServerMessage | Refusal> {
    const { waitingRoom, clock } = this.#parts;
    const { show } = sale;
    const { soldOut } = sale.board;
    const { session } = buyer;
    const outcome = await joinWaitingRoom(waitingRoom, { show, soldOut, receipt, ...buyer }, clock.now());
    if (!outcome.ok) return outcome;
    // The socket may have closed while the store was asked, and its absence been told before the place existed.
    if (!sale.hasTabs(session)) await this.setPresent(sale, session, false);
    for (const word of this.#receiptOf(sale, session, outcome.value)) sale.tell(session, word);
    return sale.standingMessage(session, outcome.value, requestId);
  }

  /** What a buyer who waits keeps, should the place be lost. */
  #receiptOf(sale: Sale, session: SessionId, standing: Standing): ServerMessage[] {
    if (standing.state !== 'waiting') return [];
    const receipt = this.#parts.waitingRoom.receipts.sign(sale.show.id, session, standing);
    return [{ type: 'place', receipt }];
  }

  async #leave(sale: Sale, session: SessionId, requestId: number): Promise<ServerMessage> {
    const { waitingRoom, seats } = this.#parts;
    // Who goes gives back what they hold; what is being paid for stays theirs. Dying between the two steps leaves
    // an admitted buyer without a hold, who may leave again or lapse.
    const hold = await seats.holdOf(sale.show.id, session);
    if (hold?.orderId === null) {
      const step = { kind: 'release', session, holdToken: hold.holdToken, seats: [] } as const;
      await seats.take(sale.seatRules, [step]);
    }
    const standing = await waitingRoom.store.leave(sale.waitingRules, session);
    return sale.standingMessage(session, standing, requestId);
  }

  async #hold(
    sale: Sale,
    buyer: Buyer,
    seats: readonly number[],
    requestId: number,
  ): Promise<ServerMessage | Refusal> {
    const closed = sellingRefusal(sale.phase());
    if (closed) return refuse(closed);
    const [outcome] = await this.#parts.seats.take(sale.seatRules, [holdStep(sale.show, buyer, seats)]);
    return outcome.ok ? holdMessage(outcome.value, requestId, this.#parts.clock.now()) : outcome;
  }

  async #release(
    sale: Sale,
    session: SessionId,
    { requestId, holdToken: token, seats }: Extract<SaleRequest, { type: 'release' }>,
  ): Promise<ServerMessage | Refusal> {
    const step = { kind: 'release', session, holdToken: holdToken(token), seats } as const;
    const [outcome] = await this.#parts.seats.take(sale.seatRules, [step]);
    if (!outcome.ok) return outcome;
    const left = outcome.value;
    if ('reason' in left) return { type: 'hold-ended', requestId, ...left };
    return holdMessage(left, requestId, this.#parts.clock.now());
  }
}
