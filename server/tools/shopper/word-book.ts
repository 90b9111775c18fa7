import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';

/** What a person was told of an order, as far as it can be compared. */
export type OrderWord = Pick<OrderMessage, 'status' | 'tickets' | 'reason'>;

/** The same, as the database has it. */
export interface OrderRow extends OrderWord {
  readonly id: string;
}

const sameTickets = (a: OrderWord, b: OrderWord): boolean =>
  a.tickets.length === b.tickets.length && a.tickets.every((ticket) => b.tickets.includes(ticket));

const wordOf = ({ status, reason, tickets }: OrderWord): string =>
  `${status}${reason === '' ? '' : ` (${reason})`}, ${tickets.length} tickets`;

/**
 * Remembers every word that one person was told of their orders, in whichever tab, and knows when two of them can't
 * both be true [P2]. People keep their tickets: once told an outcome, they hold the seller to it.
 */
export class WordBook {
  readonly #name: string;
  readonly #words = new Map<string, OrderWord>();
  readonly #contradictions: string[] = [];

  constructor(name: string) {
    this.#name = name;
  }

  /** Every order id that was ever said, with or without an order. */
  get orderIds(): readonly string[] {
    return [...this.#words.keys()];
  }

  get contradictions(): readonly string[] {
    return this.#contradictions;
  }

  /** Ids that were said and whose outcome was not. */
  get openOrders(): readonly string[] {
    return [...this.#words].filter(([, { status }]) => status === 'processing').map(([id]) => id);
  }

  get confirmed(): number {
    return [...this.#words.values()].filter(({ status }) => status === 'confirmed').length;
  }

  /** A hold named the order that pays for it. */
  hearId(id: string): void {
    if (!this.#words.has(id)) this.#words.set(id, { status: 'processing', tickets: [], reason: '' });
  }

  /** Word that an order is processing may be overtaken by its outcome on another socket; outcomes stand. */
  hearOrder(order: OrderMessage): void {
    const known = this.#words.get(order.id);
    if (known && known.status !== 'processing') {
      if (order.status === 'processing') return;
      if (order.status !== known.status || !sameTickets(order, known)) {
        this.#note(`order ${order.id} was ${wordOf(known)}, then ${wordOf(order)}`);
      }
      return;
    }
    this.#words.set(order.id, { status: order.status, tickets: order.tickets, reason: order.reason });
  }

  /** What the database says otherwise than the person was told, in words. `rows`: all orders by id. */
  compare(rows: ReadonlyMap<string, OrderRow>): {
    unended: readonly string[];
    contradicted: readonly string[];
  } {
    const unended: string[] = [];
    const contradicted: string[] = [...this.#contradictions];
    for (const [id, word] of this.#words) {
      const row = rows.get(id);
      if (!row) unended.push(`${this.#name}: order ${id} was told (${word.status}) and has no row`);
      else if (word.status !== 'processing' && (row.status !== word.status || !sameTickets(row, word))) {
        contradicted.push(
          `${this.#name}: order ${id} was told ${wordOf(word)}, the database has ${wordOf(row)}`,
        );
      }
    }
    return { unended, contradicted };
  }

  #note(contradiction: string): void {
    this.#contradictions.push(`${this.#name}: ${contradiction}`);
  }
}
