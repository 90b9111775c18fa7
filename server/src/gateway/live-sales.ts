import type { ShowId } from '../platform/ids.ts';
import type { LiveSale } from './live-sale.ts';

/** The on-sales of this node, by show. */
export class LiveSales {
  readonly #sales = new Map<ShowId, LiveSale>();

  add(sale: LiveSale): void {
    this.#sales.set(sale.show.id, sale);
  }

  get(show: ShowId): LiveSale | undefined {
    return this.#sales.get(show);
  }

  list(): readonly LiveSale[] {
    return [...this.#sales.values()];
  }
}
