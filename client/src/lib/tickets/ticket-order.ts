import type { ShowSummary } from '@stampede/shared/protocol/http.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { type SeatMap, seatName, type SeatName } from '@stampede/shared/seat-map/seat-map.ts';
import { inSeatOrder } from '#lib/seat-map/seat-order.ts';

/** What a ticket says of its show. */
export type TicketShow = Pick<
  ShowSummary,
  'id' | 'title' | 'subtitle' | 'venue' | 'city' | 'startsAt' | 'timeZone'
>;

export interface Ticket {
  readonly code: string;
  readonly place: SeatName;
  /** Minor units of the order's currency. */
  readonly amount: number;
}

/** An order with its tickets, complete in itself: nothing has to be fetched to show it at the entrance. */
export interface TicketOrder extends Pick<
  OrderMessage,
  'id' | 'status' | 'amount' | 'currency' | 'createdAt'
> {
  readonly show: TicketShow;
  /** In the order of the seats. */
  readonly tickets: readonly Ticket[];
  /** Brings all tickets of the buyer back on another device; null where it is not known here. */
  readonly recoveryCode: string | null;
}

const NOWHERE: SeatName = { section: '–', row: '–', seat: '–' };

export function ticketOrderOf(
  { id, status, amount, currency, createdAt, seats, tickets }: OrderMessage,
  show: TicketShow & { readonly priceLevels: readonly { readonly amount: number }[] },
  map: SeatMap,
  recoveryCode: string | null,
): TicketOrder {
  const { title, subtitle, venue, city, startsAt, timeZone } = show;
  return {
    id,
    status,
    amount,
    currency,
    createdAt,
    recoveryCode,
    show: { id: show.id, title, subtitle, venue, city, startsAt, timeZone },
    tickets: inSeatOrder(map, seats).flatMap((seat) => {
      // The first code is for the first seat, in the order of taking them.
      const code = tickets[seats.indexOf(seat)];
      const price = show.priceLevels[map.priceLevel[seat] ?? 0]?.amount ?? 0;
      return code === undefined ? [] : [{ code, place: seatName(map, seat) ?? NOWHERE, amount: price }];
    }),
  };
}
