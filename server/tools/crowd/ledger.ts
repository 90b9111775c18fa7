import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';

/** A sold seat's row. */
export interface SoldRow {
  readonly seat: number;
  readonly orderId: string;
  readonly ticketCode: string;
}

/** A confirmed order. */
export interface ConfirmedOrder {
  readonly id: string;
  readonly idempotencyKey: string;
  readonly seats: readonly number[];
}

/** What the database says of one show at one moment. */
export interface LedgerPage {
  readonly sold: readonly SoldRow[];
  readonly confirmed: readonly ConfirmedOrder[];
}

/** A seat that a buyer was told to own. */
export interface ToldSeat {
  readonly buyer: number;
  readonly orderId: string;
  readonly seat: number;
  readonly ticketCode: string;
}

/** What a buyer was told with a confirmed order. */
export function toldSeatsOf(buyer: number, { id, seats, tickets }: OrderMessage): readonly ToldSeat[] {
  return seats.map((seat, index) => ({ buyer, orderId: id, seat, ticketCode: tickets[index] ?? '' }));
}

export interface Finding {
  readonly kind: string;
  /** Null: it concerns none of the crowd. */
  readonly buyer: number | null;
}

export interface Audit {
  /** Seats that the crowd bought. */
  readonly soldSeats: number;
  /** Seats that others bought meanwhile: a person at the page, or another crowd. */
  readonly soldToOthers: number;
  /** Seats with more than one owner by any evidence. */
  readonly oversold: number;
  readonly findings: readonly Finding[];
}

/** Idempotency keys tell, in the database, whose order it is. */
export class RunKeys {
  readonly #prefix: string;

  /** @param run short text that no other run has */
  constructor(run: string) {
    this.#prefix = `crowd-${run}-`;
  }

  keyOf(buyer: number, attempt: number): string {
    return `${this.#prefix}${buyer}-${attempt}`;
  }

  /** Null: not one of this crowd's orders. */
  buyerOf(idempotencyKey: string): number | null {
    if (!idempotencyKey.startsWith(this.#prefix)) return null;
    const [buyer] = idempotencyKey.slice(this.#prefix.length).split('-', 1);
    return Number(buyer);
  }
}

export interface AuditedRun {
  readonly before: LedgerPage;
  readonly after: LedgerPage;
  readonly told: readonly ToldSeat[];
  readonly keys: RunKeys;
  readonly seatCount: number;
  /** Buyers who left before they heard what became of their payment. */
  readonly undecided: ReadonlySet<number>;
}

/**
 * Compares three witnesses: rows of sold seats, confirmed orders, and what buyers were told [P1, P2]. No one of them
 * is believed alone: the rows can't clash by their key, but the others can.
 */
export function audit(run: AuditedRun): Audit {
  const { before, after, told, keys } = run;
  const ordersById = new Map(after.confirmed.map((order) => [order.id, order]));
  const buyerOfOrder = (id: string): number | null => keys.buyerOf(ordersById.get(id)?.idempotencyKey ?? '');
  const soldBefore = new Set(before.sold.map((row) => row.seat));
  const ours = after.sold.filter((row) => buyerOfOrder(row.orderId) !== null);
  const others = after.sold.filter((row) => buyerOfOrder(row.orderId) === null && !soldBefore.has(row.seat));
  return {
    soldSeats: ours.length,
    soldToOthers: others.length,
    oversold: countOversold(run),
    findings: [
      ...comparedWithTold(after.sold, told, buyerOfOrder, run.undecided),
      ...comparedWithOrders(after, buyerOfOrder),
      ...comparedWithBefore(before, after),
      ...after.sold
        .filter((row) => row.seat < 0 || row.seat >= run.seatCount)
        .map((row) => finding('a seat was sold that the show does not have', buyerOfOrder(row.orderId))),
    ],
  };
}

/** A seat has as many owners as different orders claim it; a buyer told of another's order is one more. */
function countOversold({ after, told }: AuditedRun): number {
  const ordersOfSeat = new Map<number, Set<string>>();
  const buyersOfSeat = new Map<number, Set<number>>();
  const rowsOfSeat = new Map<number, number>();
  const claim = <Owner>(owners: Map<number, Set<Owner>>, seat: number, owner: Owner): void => {
    const known = owners.get(seat);
    if (known) known.add(owner);
    else owners.set(seat, new Set([owner]));
  };
  for (const { seat, orderId } of after.sold) {
    claim(ordersOfSeat, seat, orderId);
    rowsOfSeat.set(seat, (rowsOfSeat.get(seat) ?? 0) + 1);
  }
  for (const { id, seats } of after.confirmed) for (const seat of seats) claim(ordersOfSeat, seat, id);
  for (const { seat, orderId, buyer } of told) {
    claim(ordersOfSeat, seat, orderId);
    claim(buyersOfSeat, seat, buyer);
  }
  const oversold = new Set<number>();
  for (const owners of [ordersOfSeat, buyersOfSeat]) {
    for (const [seat, claimed] of owners) if (claimed.size > 1) oversold.add(seat);
  }
  for (const [seat, rows] of rowsOfSeat) if (rows > 1) oversold.add(seat);
  return oversold.size;
}

function comparedWithTold(
  sold: readonly SoldRow[],
  told: readonly ToldSeat[],
  buyerOfOrder: (id: string) => number | null,
  undecided: ReadonlySet<number>,
): Finding[] {
  const rows = new Set(sold.map(identityOf));
  const toldSeats = new Set(told.map(identityOf));
  const missing = told.filter((seat) => !rows.has(identityOf(seat)));
  const untold = sold.filter((row) => {
    const buyer = buyerOfOrder(row.orderId);
    return buyer !== null && !undecided.has(buyer) && !toldSeats.has(identityOf(row));
  });
  return [
    ...missing.map(({ buyer }) =>
      finding('a buyer was told of a ticket that the database does not have', buyer),
    ),
    ...untold.map((row) =>
      finding('a seat was sold to a buyer who was never told', buyerOfOrder(row.orderId)),
    ),
  ];
}

function comparedWithOrders(
  { sold, confirmed }: LedgerPage,
  buyerOfOrder: (id: string) => number | null,
): Finding[] {
  const claims = new Set(confirmed.flatMap(({ id, seats }) => seats.map((seat) => `${seat} ${id}`)));
  const rows = new Set(sold.map(({ seat, orderId }) => `${seat} ${orderId}`));
  const rowless = confirmed.flatMap(({ id, seats }) =>
    seats.filter((seat) => !rows.has(`${seat} ${id}`)).map(() => id),
  );
  const orderless = sold.filter(({ seat, orderId }) => !claims.has(`${seat} ${orderId}`));
  return [
    ...rowless.map((id) => finding('a confirmed order has a seat that is not sold to it', buyerOfOrder(id))),
    ...orderless.map((row) => finding('a seat is sold without a confirmed order', buyerOfOrder(row.orderId))),
  ];
}

function comparedWithBefore(before: LedgerPage, after: LedgerPage): Finding[] {
  const rows = new Set(after.sold.map(identityOf));
  return before.sold
    .filter((row) => !rows.has(identityOf(row)))
    .map(() => finding('a seat that was sold before is no longer sold to the same order', null));
}

function identityOf({ seat, orderId, ticketCode }: SoldRow): string {
  return `${seat} ${orderId} ${ticketCode}`;
}

function finding(kind: string, buyer: number | null): Finding {
  return { kind, buyer };
}
