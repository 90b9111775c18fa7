import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '@stampede/shared/platform/clock.ts';
import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { type HoldView, type Refused, StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { statusOf } from './seat-choice.ts';
import { type Situation, situationOf } from './situation.ts';
import { socketsFrom } from './sockets.ts';
import { askForSession } from './ticket-office.ts';

/** What a shopper knows of the show they came for. */
export interface ShopperShow {
  readonly id: number;
  readonly map: SeatMap;
  /** Minor units by price level. */
  readonly prices: readonly number[];
}

/** The part of the protocol client that a shopper uses. */
export type ShopperClient = Pick<
  StampedeClient,
  | 'view'
  | 'onChange'
  | 'start'
  | 'stop'
  | 'enter'
  | 'join'
  | 'leave'
  | 'watch'
  | 'hold'
  | 'extend'
  | 'release'
  | 'checkout'
  | 'listOrders'
>;

export interface ShopperParts {
  readonly client: ShopperClient;
  readonly show: ShopperShow;
  readonly random: Random;
  readonly clock?: Clock;
}

export function isRefused(answer: { readonly ok: boolean }): answer is Refused {
  return !answer.ok;
}

/** Whether the server said anything: without an answer, what became of the request is unknown. */
export function wasAnswered(answer: { readonly ok: boolean }): boolean {
  return !isRefused(answer) || (answer.code !== 'disconnected' && answer.code !== 'timed-out');
}

/** What nothing that ever comes takes, on a machine that is busy with other things. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 50;

let seeds = 0;

/**
 * One tab of somebody at a show, on the protocol client that browsers run. What they do there is decided by whoever
 * holds it: a crowd, a scenario, a person among faults, or a test.
 */
export class Shopper {
  readonly client: ShopperClient;
  readonly show: ShopperShow;
  readonly random: Random;
  /** Declined or voided orders that the shopper has taken in. */
  readonly answeredOrders = new Set<string>();
  /** Every position heard of, in order, where it changed; 0 once admitted. */
  readonly positions: number[] = [];
  /** How often the connection was lost. */
  losses = 0;
  readonly #clock: Clock;
  readonly #waits = new Set<() => void>();

  constructor({ client, show, random, clock = systemClock }: ShopperParts) {
    this.client = client;
    this.show = show;
    this.random = random;
    this.#clock = clock;
    client.onChange(({ kind }) => {
      const { connection, standing } = client.view;
      const position = standing.state === 'waiting' ? standing.position : 0;
      const hasPlace = standing.state === 'waiting' || standing.state === 'admitted';
      if (hasPlace && position !== this.positions.at(-1)) this.positions.push(position);
      const isLost = connection.state === 'reconnecting' && connection.attempt === 1;
      if (kind === 'connection' && isLost) this.losses += 1;
    });
  }

  /**
   * Opens the show at a port of loopback, and watches all of it.
   * @param bearer absent: as somebody new
   * @throws Error if there is no session, or entering is refused
   */
  static async arrive(port: number, show: ShopperShow, bearer?: string): Promise<Shopper> {
    const client = new StampedeClient({
      url: `ws://127.0.0.1:${port}/socket`,
      bearer: bearer ?? (await newBearer(port)),
      openSocket: socketsFrom(null, () => undefined),
      random: seededRandom((seeds += 1)),
    });
    const shopper = new Shopper({ client, show, random: seededRandom(seeds) });
    client.start();
    try {
      orFail(await client.enter(show.id, show.map));
      orFail(await client.watch(show.map.sections.map(({ index }) => index)));
    } catch (cause) {
      client.stop();
      throw cause;
    }
    return shopper;
  }

  /** Opens the show as soon as somebody answers: parts that are coming back say "busy" for a moment. */
  static async arriveInTime(port: number, show: ShopperShow, bearer?: string): Promise<Shopper> {
    for (const deadline = performance.now() + PATIENCE_MS; ;) {
      try {
        return await Shopper.arrive(port, show, bearer);
      } catch (cause) {
        if (performance.now() > deadline) throw cause;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  }

  get view(): ShopperClient['view'] {
    return this.client.view;
  }

  get hold(): HoldView | null {
    return this.view.hold;
  }

  get situation(): Situation {
    return situationOf(this.view, this.answeredOrders);
  }

  get isAdmitted(): boolean {
    return this.view.standing.state === 'admitted';
  }

  /** Whether nothing more is to be had in this sale. */
  get isSaleOver(): boolean {
    const phase = this.view.phase?.phase;
    return phase === 'sold-out' || phase === 'closed';
  }

  /** The status of a seat as this screen shows it. */
  seatStatus(seat: number): number | undefined {
    return statusOf(this.show.map, this.view.sections, seat);
  }

  /** Every seat that the screen shows as sold. */
  soldSeats(): readonly number[] {
    return Array.from(this.show.map.sectionOf.keys()).filter((seat) => this.seatStatus(seat) === SOLD);
  }

  priceOf(seats: readonly number[]): number {
    const { map, prices } = this.show;
    return seats.reduce((sum, seat) => sum + (prices[map.priceLevel[seat] ?? -1] ?? 0), 0);
  }

  /** Pays for what is held. */
  checkout(idempotencyKey: string): ReturnType<ShopperClient['checkout']> {
    return this.client.checkout({ idempotencyKey, amount: this.priceOf(this.hold?.seats ?? []) });
  }

  order(id: string): OrderMessage | undefined {
    return this.view.orders.get(id);
  }

  /**
   * Waits until something is true of what the screen shows.
   * @param withinMs absent: for as long as it takes
   * @returns whether it came true before the time was up, the connection ended for good, or the shopper was hurried
   */
  async until(isTrue: () => boolean, withinMs?: number): Promise<boolean> {
    return isTrue() || (await this.#wait(isTrue, withinMs)) === 'true';
  }

  /** Lets time pass; false if the shopper was hurried meanwhile. */
  async pause(ms: number): Promise<boolean> {
    return (await this.#wait(() => false, ms)) === 'late';
  }

  /** Ends every wait and every pause that is under way. */
  hurry(): void {
    for (const hurry of this.#waits) hurry();
  }

  async #wait(isTrue: () => boolean, withinMs?: number): Promise<'true' | 'late' | 'hurried'> {
    if (this.view.connection.state === 'stopped') return 'hurried';
    const { promise, resolve } = Promise.withResolvers<'true' | 'late' | 'hurried'>();
    const hurry = (): void => resolve('hurried');
    this.#waits.add(hurry);
    const cancel = withinMs === undefined ? hurry : this.#clock.after(withinMs, () => resolve('late'));
    const ignore = this.client.onChange(() => {
      if (isTrue()) resolve('true');
      else if (this.view.connection.state === 'stopped') hurry();
    });
    const end = await promise;
    this.#waits.delete(hurry);
    cancel();
    ignore();
    return end;
  }

  /** Joins and awaits the admission. */
  async admitted(): Promise<this> {
    orFail(await this.client.join());
    if (!(await this.until(() => this.isAdmitted, PATIENCE_MS))) throw new Error('nobody let the shopper in');
    return this;
  }

  async holds(seats: readonly number[]): Promise<HoldView> {
    return orFail(await this.client.hold(seats)).hold;
  }

  async releases(seats: readonly number[]): Promise<void> {
    orFail(await this.client.release(seats));
  }

  /** Pays for what is held; resolves with the order as it was accepted. */
  async pays(idempotencyKey: string): Promise<OrderMessage> {
    return orFail(await this.checkout(idempotencyKey)).order;
  }

  /** Pays for what is held; resolves with the confirmed order. */
  async buys(idempotencyKey: string = randomUUID()): Promise<OrderMessage> {
    const accepted = await this.pays(idempotencyKey);
    const order = (): OrderMessage => this.order(accepted.id) ?? accepted;
    await this.until(() => order().status === 'confirmed', PATIENCE_MS);
    if (order().status !== 'confirmed') throw new Error(`the order is ${order().status}`);
    return order();
  }
}

/** A session, as a gateway at a port of loopback hands it out. */
export async function newBearer(port: number): Promise<string> {
  const answer = await askForSession(new URL(`http://127.0.0.1:${port}`), null);
  if (answer.kind === 'session') return answer.bearer;
  throw new Error(`no session: ${answer.kind === 'failed' ? answer.reason : 'later'}`);
}

export function orFail<T extends { readonly ok: boolean }>(answer: T): Extract<T, { readonly ok: true }> {
  if (isRefused(answer)) throw new Error(`a shopper was refused: ${answer.code} ${answer.detail}`);
  // What is not refused was done.
  return answer as unknown as Extract<T, { readonly ok: true }>;
}
