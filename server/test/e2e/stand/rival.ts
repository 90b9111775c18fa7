import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { ClientView } from '@stampede/shared/client/client-view.ts';
import type { BearerOpened } from '@stampede/shared/protocol/http.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import type { PlannedShow } from './box-office.ts';
import type { ServerProcess } from './server-process.ts';

const PATIENCE_MS = 20_000;

/** Another buyer, who needs no browser: the same protocol client with nobody looking. */
export class Rival {
  readonly #client: StampedeClient;
  readonly #show: PlannedShow;

  private constructor(client: StampedeClient, show: PlannedShow) {
    this.#client = client;
    this.#show = show;
  }

  /** Resolves when the buyer has a place in the waiting room. */
  static async join(server: ServerProcess, show: PlannedShow): Promise<Rival> {
    const response = await fetch(`${server.url}/api/sessions`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ bearer: true }),
    });
    // The server's own answer; its shape has tests of its own.
    const { bearer } = (await response.json()) as BearerOpened;
    const rival = new Rival(new StampedeClient({ url: server.socketUrl, bearer }), show);
    rival.#client.start();
    orFail(await rival.#client.enter(show.id, show.map));
    orFail(await rival.#client.join());
    return rival;
  }

  get view(): ClientView {
    return this.#client.view;
  }

  admitted(): Promise<void> {
    return this.#until((view) => view.standing.state === 'admitted');
  }

  async hold(...seats: readonly number[]): Promise<void> {
    orFail(await this.#client.hold(seats));
  }

  async release(...seats: readonly number[]): Promise<void> {
    orFail(await this.#client.release(seats));
  }

  async leave(): Promise<void> {
    orFail(await this.#client.leave());
  }

  /** Holds seats, pays, and resolves with the confirmed order. */
  async buy(...seats: readonly number[]): Promise<OrderMessage> {
    await this.hold(...seats);
    return this.buyHeld();
  }

  /** Pays for what is held, and resolves with the confirmed order. */
  async buyHeld(): Promise<OrderMessage> {
    const seats = this.view.hold?.seats ?? [];
    const { map, prices } = this.#show;
    const amount = seats.reduce((sum, seat) => sum + (prices[map.priceLevel[seat] ?? -1] ?? 0), 0);
    const answer = await this.#client.checkout({ idempotencyKey: crypto.randomUUID(), amount });
    orFail(answer);
    const { id } = answer.order;
    await this.#until((view) => view.orders.get(id)?.status === 'confirmed');
    return this.view.orders.get(id)!;
  }

  stop(): void {
    this.#client.stop();
  }

  async #until(isMet: (view: ClientView) => boolean): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const look = (): void => {
      if (isMet(this.view)) resolve(undefined);
    };
    const stopListening = this.#client.onChange(look);
    const tooLate = setTimeout(() => reject(new Error('what a rival waited for never came')), PATIENCE_MS);
    look();
    await promise.finally(() => {
      stopListening();
      clearTimeout(tooLate);
    });
  }
}

function orFail<T extends { readonly ok: boolean }>(answer: T): asserts answer is T & { readonly ok: true } {
  if (!answer.ok) throw new Error(`a rival was refused: ${JSON.stringify(answer)}`);
}
