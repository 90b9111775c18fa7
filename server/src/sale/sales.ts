import type { Phase } from '@stampede/shared/protocol/messages.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { type ListedShow, type Show, withSeats } from '../catalog/show.ts';
import type { ShowId } from '../platform/ids.ts';
import { CHECKOUT_CARE, type SeatRules } from '../seating/seat-store.ts';
import { phaseOf } from '../waiting-room/waiting-room.ts';
import { Sale, type SaleParts } from './sale.ts';
import { seatRulesOf, ShowSeats, type ShowSeatsParts } from './show-seats.ts';

export interface SalesParts extends SaleParts, ShowSeatsParts {
  readonly catalog: Pick<Catalog, 'list' | 'find' | 'show' | 'lastStartsAt' | 'onChange'>;
}

/** A show as the catalogue lists it. */
export interface ListedSale {
  readonly show: ListedShow;
  readonly freeSeats: number;
  phase(): Phase;
}

/** An announcement that is older is made anew while the show is in use. */
const ANNOUNCED_AGAIN_MS = 5_000;
/**
 * A show is let go when nothing has lived in it for so long: longer than a checkout whose hold is gone stays out of
 * sight before somebody has to look after it.
 */
export const QUIET_MS = CHECKOUT_CARE.settledWithinMs + 60_000;
/** Shows that are open only because somebody looked at them [P7]: a catalogue may have thousands. */
export const LOOKED_AT_MAX = 16;

/**
 * The shows of the catalogue as this node knows them. One that somebody needs is opened: its seats are followed and
 * its buyers told. Every node follows what is busy on any node, so that seats are listed as they are and jobs end
 * what a dead node left; a show that nothing lives in costs its line in the catalogue, and no more.
 */
export class Sales {
  readonly #parts: SalesParts;
  readonly #seats: ShowSeats;
  readonly #open = new Map<ShowId, Sale>();
  readonly #opening = new Map<ShowId, Promise<Sale | null>>();
  /** Those that nobody but lookers needs, the one looked at last at the end. */
  readonly #lookedAt = new Set<ShowId>();
  readonly #announcedAt = new Map<ShowId, number>();
  /** What could be bought of a show that isn't open: nothing changes in it meanwhile. */
  readonly #unsold = new Map<ShowId, number>();

  constructor(parts: SalesParts) {
    this.#parts = parts;
    this.#seats = new ShowSeats(parts);
  }

  /** Reads how many seats of each show were sold, and goes on with shows that are edited. */
  async start(): Promise<void> {
    const { catalog, orders } = this.#parts;
    for (const [id, sold] of await orders.soldCounts()) {
      this.#unsold.set(id, (catalog.find(id)?.venue.seatCount ?? 0) - sold);
    }
    catalog.onChange((id, show) => {
      const sale = this.#open.get(id);
      if (sale && show) sale.change(withSeats(show, sale.show));
      if (sale && !show) this.#letGo(sale);
      if (!show) this.#unsold.delete(id);
    });
  }

  /** When the last show of the catalogue begins; 0 where there is none. */
  get lastStartsAt(): number {
    return this.#parts.catalog.lastStartsAt;
  }

  /** Every show of the catalogue, by id. */
  catalogue(): readonly ListedSale[] {
    return this.#parts.catalog.list().map((show) => this.#list(show));
  }

  listed(id: ShowId): ListedSale | undefined {
    const show = this.#parts.catalog.find(id);
    return show ? this.#list(show) : undefined;
  }

  /** A show with its seats, open or not; null if there is none. */
  show(id: ShowId): Promise<Show | null> {
    return this.#parts.catalog.show(id);
  }

  /** The shows that are open on this node. */
  list(): readonly Sale[] {
    return [...this.#open.values()];
  }

  get(id: ShowId): Sale | undefined {
    return this.#open.get(id);
  }

  /** For a buyer: opens a show if it isn't, and sees to it that every node's jobs serve it. Null if there is none. */
  async enter(id: ShowId): Promise<Sale | null> {
    const sale = await this.#opened(id);
    if (sale) await this.keep(sale);
    return sale;
  }

  /** Something lives in it: it stays open, and every node's jobs go on serving it. */
  async keep(sale: Sale): Promise<void> {
    sale.use();
    this.#lookedAt.delete(sale.show.id);
    if (this.#isSilent(sale.show.id)) await this.#announce([sale.show.id]);
  }

  /**
   * Opens a show, if it isn't, for somebody who only wants to see it, and lets go of the one that was not looked at for
   * longest if there are too many such. Null if there is no such show; `busy` while too many are being opened.
   */
  async look(id: ShowId): Promise<Sale | null | 'busy'> {
    const isOpen = this.#open.has(id) || this.#opening.has(id);
    if (this.#lookedAt.delete(id) || (!isOpen && this.#parts.catalog.find(id))) this.#lookedAt.add(id);
    const [oldest] = this.#lookedAt;
    if (oldest !== undefined && this.#lookedAt.size > LOOKED_AT_MAX) {
      const sale = this.#open.get(oldest);
      this.#lookedAt.delete(sale ? oldest : id);
      if (!sale) return 'busy';
      if (!sale.isAlive) this.#letGo(sale);
    }
    return this.#opened(id);
  }

  /**
   * What decides on a show's seats, once the live store has them, for whoever applies an outcome to them: a hold that is
   * returned has to end, so every node's jobs serve the show. Null if there is no such show.
   */
  async seatRules(id: ShowId): Promise<SeatRules | null> {
    const show = await this.show(id);
    if (!show) return null;
    const rules = this.#rulesOf(show);
    if (!this.#isSilent(id)) return rules;
    // Should the store lose the show meanwhile, it says so itself.
    await this.#seats.open(show, rules);
    await this.#announce([id]);
    return rules;
  }

  /** For a show that the live store has lost. */
  async reopen(id: ShowId): Promise<void> {
    const show = await this.show(id);
    if (show) await this.#seats.open(show, this.#rulesOf(show));
  }

  /**
   * Opens what is busy on any node, says what is in use on this one, and lets go of what nothing lives in; to be
   * called every second. `serves`: whether this node's jobs end what lives in a show, so that it knows when nothing does.
   */
  async keepUp(serves: boolean): Promise<void> {
    const { outside, busy } = this.#parts;
    const alive = this.list().filter((sale) => sale.isAlive);
    for (const sale of alive) sale.use();
    await this.#announce(alive.map((sale) => sale.show.id).filter((id) => this.#isSilent(id)));
    const announced = await busy.list();
    const quietSince = outside.clock.now() - QUIET_MS;
    const serve = async ([id, at]: readonly [ShowId, number]): Promise<void> => {
      this.#lookedAt.delete(id);
      const sale = this.#open.get(id) ?? (await this.#opened(id));
      if (!serves || at >= quietSince) return;
      // One that was deleted has nothing that lives in it.
      const isOver = !sale || (sale.isUnusedSince(quietSince) && (await sale.isRoomEmpty()));
      if (isOver) await busy.forget(id);
    };
    await Promise.all(
      [...announced].map((one) =>
        serve(one).catch((cause: unknown) => outside.report(`show ${one[0]} could not be kept up`, cause)),
      ),
    );
    for (const sale of this.list()) {
      if (!announced.has(sale.show.id) && sale.isUnusedSince(quietSince)) this.#letGo(sale);
    }
  }

  stop(): void {
    for (const sale of this.list()) this.#letGo(sale);
  }

  async #opened(id: ShowId): Promise<Sale | null> {
    const sale = this.#open.get(id);
    sale?.use();
    if (sale) return sale;
    const opening = this.#opening.get(id) ?? this.#follow(id);
    this.#opening.set(id, opening);
    return opening.finally(() => {
      this.#opening.delete(id);
      if (!this.#open.has(id)) this.#lookedAt.delete(id);
    });
  }

  async #follow(id: ShowId): Promise<Sale | null> {
    const show = await this.show(id);
    if (!show) return null;
    await this.#seats.open(show, this.#rulesOf(show));
    const sale = await Sale.open(show, this.#parts);
    // It may have been edited meanwhile.
    const edited = this.#parts.catalog.find(id);
    this.#open.set(show.id, sale);
    if (edited) sale.change(withSeats(edited, show));
    else this.#letGo(sale);
    return edited && sale;
  }

  #letGo(sale: Sale): void {
    this.#open.delete(sale.show.id);
    this.#lookedAt.delete(sale.show.id);
    this.#unsold.set(sale.show.id, sale.board.unsold);
    sale.stop();
  }

  #isSilent(id: ShowId): boolean {
    return this.#parts.outside.clock.now() - (this.#announcedAt.get(id) ?? -Infinity) >= ANNOUNCED_AGAIN_MS;
  }

  async #announce(ids: readonly ShowId[]): Promise<void> {
    const now = this.#parts.outside.clock.now();
    await this.#parts.busy.announce(ids, now);
    for (const id of ids) this.#announcedAt.set(id, now);
  }

  #rulesOf(show: Show): SeatRules {
    return seatRulesOf(show, this.#parts.seatsHeldPerAddressPercent);
  }

  #list(show: ListedShow): ListedSale {
    const unsold = (): number => this.#unsold.get(show.id) ?? show.venue.seatCount;
    const sale = (): Sale | undefined => this.#open.get(show.id);
    const { clock } = this.#parts.outside;
    return {
      show,
      get freeSeats() {
        return sale()?.board.freeSeats ?? unsold();
      },
      phase: () => sale()?.phase() ?? phaseOf(show.sale, show.paused, unsold() === 0, clock.now()),
    };
  }
}
