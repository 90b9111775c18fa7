import type { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { Connection } from '@stampede/shared/client/client-view.ts';
import type { ShowDetail } from '@stampede/shared/protocol/http.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { seatMapOf, type SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { SvelteMap } from 'svelte/reactivity';
import { ApiError, type ApiFailure, ensureSession, fetchLayout, fetchShow } from '#lib/api.ts';

export interface WalletShow {
  readonly show: ShowDetail;
  readonly map: SeatMap;
}

/** Every order of this buyer, with the shows they are for; orders that settle meanwhile change before the eyes. */
export class Wallet {
  readonly #client: StampedeClient;
  #connection = $state.raw<Connection>({ state: 'connecting' });
  #orders = $state.raw<readonly OrderMessage[] | null>(null);
  #failure = $state.raw<ApiFailure | null>(null);
  readonly #shows = new SvelteMap<number, WalletShow | null>();

  constructor(client: StampedeClient) {
    this.#client = client;
    client.onChange((change) => {
      if (change.kind === 'connection') this.#connection = client.view.connection;
      if (change.kind === 'order' && this.#orders) this.#take();
    });
  }

  get connection(): Connection {
    return this.#connection;
  }
  /** Newest first; null until they have come. */
  get orders(): readonly OrderMessage[] | null {
    return this.#orders;
  }
  get failure(): ApiFailure | null {
    return this.#failure;
  }
  /** Undefined while it is fetched, null where the show is no longer known. */
  showOf(id: number): WalletShow | null | undefined {
    return this.#shows.get(id);
  }

  async start(): Promise<void> {
    this.#failure = null;
    try {
      await ensureSession(fetch);
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      this.#failure = cause.failure;
      return;
    }
    this.#client.start();
    await this.#client.listOrders();
    this.#take();
  }

  stop(): void {
    this.#client.stop();
  }

  #take(): void {
    this.#orders = [...this.#client.view.orders.values()].sort((a, b) => b.createdAt - a.createdAt);
    for (const { show } of this.#orders) if (!this.#shows.has(show)) void this.#fetchShow(show);
  }

  async #fetchShow(id: number): Promise<void> {
    try {
      const [show, { layout }] = await Promise.all([fetchShow(fetch, id), fetchLayout(fetch, id)]);
      this.#shows.set(id, { show, map: seatMapOf(layout) });
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      this.#shows.set(id, null);
    }
  }
}
