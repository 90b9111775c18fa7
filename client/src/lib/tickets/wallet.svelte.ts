import type { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { Connection } from '@stampede/shared/client/client-view.ts';
import type { ShowDetail } from '@stampede/shared/protocol/http.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { seatMapOf, type SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { SvelteMap } from 'svelte/reactivity';
import { type ApiFailure, ensureSession, fetchLayout, fetchRecoveryCode, fetchShow } from '#lib/api.ts';
import { lasting } from '#lib/browser-shelf.ts';
import { keepTickets, readKeptTickets, withKept } from './kept-tickets.ts';
import { type TicketOrder, ticketOrderOf } from './ticket-order.ts';

interface WalletShow {
  readonly show: ShowDetail;
  readonly map: SeatMap;
}

/**
 * Every order of this buyer, and the tickets that this browser has kept; orders that settle meanwhile change before the
 * eyes.
 */
export class Wallet {
  readonly #client: StampedeClient;
  readonly #kept = readKeptTickets(lasting);
  #connection = $state.raw<Connection>({ state: 'connecting' });
  #orders = $state.raw<readonly OrderMessage[] | null>(null);
  #failure = $state.raw<ApiFailure | null>(null);
  #recoveryCode = $state<string | null>(null);
  /** Null where the show is no longer known. */
  readonly #shows = new SvelteMap<number, WalletShow | null>();
  /** Newest order first. */
  readonly tickets: readonly TicketOrder[] = $derived.by(() => {
    const orders = this.#orders ?? [];
    const statuses = new Map(orders.map(({ id, status }) => [id, status]));
    const kept = this.#kept.map((order) => ({ ...order, status: statuses.get(order.id) ?? order.status }));
    const fresh = orders.flatMap((order) => {
      const found = this.#shows.get(order.show);
      if (!found || order.tickets.length === 0) return [];
      return [ticketOrderOf(order, found.show, found.map, this.#recoveryCode)];
    });
    return withKept(fresh, kept);
  });
  /** Orders without tickets. */
  readonly others = $derived.by(() => {
    const shown = new Set(this.tickets.map(({ id }) => id));
    return this.#orders?.filter(({ id, tickets }) => !shown.has(id) && tickets.length === 0) ?? [];
  });
  readonly connection = $derived(this.#connection);
  readonly failure = $derived(this.#failure);
  /** Whether the server has told what there is; until then there are only kept tickets. */
  readonly isFresh = $derived(this.#orders !== null);

  constructor(client: StampedeClient) {
    this.#client = client;
    client.onChange((change) => {
      if (change.kind === 'connection') this.#connection = client.view.connection;
      if (change.kind === 'order' && this.#orders) this.#take();
    });
  }

  titleOf(order: OrderMessage): string | undefined {
    return this.#shows.get(order.show)?.show.title;
  }

  async start(): Promise<void> {
    const session = await ensureSession();
    this.#failure = session.ok ? null : session.failure;
    if (!session.ok) return;
    this.#client.start();
    await this.#client.listOrders();
    this.#take();
    if (!this.#orders?.some(({ status }) => status === 'confirmed')) return;
    this.#recoveryCode = await fetchRecoveryCode();
    keepTickets(this.tickets, lasting, Date.now());
  }

  stop(): void {
    this.#client.stop();
  }

  #take(): void {
    this.#orders = [...this.#client.view.orders.values()].sort((a, b) => b.createdAt - a.createdAt);
    for (const { show } of this.#orders) if (!this.#shows.has(show)) void this.#fetchShow(show);
    keepTickets(this.tickets, lasting, Date.now());
  }

  async #fetchShow(id: number): Promise<void> {
    const [show, seats] = await Promise.all([fetchShow(id), fetchLayout(id)]);
    const known = show.ok && seats.ok;
    this.#shows.set(id, known ? { show: show.body, map: seatMapOf(seats.body.layout) } : null);
    keepTickets(this.tickets, lasting, Date.now());
  }
}
