import type { BearerOpened } from '@stampede/shared/protocol/http.ts';
import { type OrderMessage } from '@stampede/shared/protocol/messages.ts';
import {
  type ClientView,
  type HoldView,
  type Refused,
  StampedeClient,
} from '@stampede/shared/client/stampede-client.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { socketsFrom } from '../../../tools/crowd/sockets.ts';
import { PRICES } from '../app-stand-show.ts';
import { until } from './fleet.ts';

/** Which show is visited, and how its seats lie in sections. */
export interface VisitedShow {
  readonly id: number;
  readonly sectionSeats: readonly number[];
}

/** A session, as a gateway hands it out. */
export async function newBearer(port: number): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/sessions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ bearer: true }),
  });
  if (!answer.ok) throw new Error(`a session was answered ${answer.status}`);
  return ((await answer.json()) as BearerOpened).bearer;
}

export function isRefused(answer: { readonly ok: boolean }): answer is Refused {
  return !answer.ok;
}

let seeds = 0;

/** A buyer with one tab that shows every section, and an exact memory of where they stood in the queue. */
export class StackBuyer {
  readonly client: StampedeClient;
  readonly bearer: string;
  /** Every position heard of, in order; 0 once admitted. */
  readonly positions: number[] = [];
  /** How often the connection was lost. */
  losses = 0;
  readonly #show: VisitedShow;

  private constructor(port: number, bearer: string, show: VisitedShow) {
    this.bearer = bearer;
    this.#show = show;
    this.client = new StampedeClient({
      url: `ws://127.0.0.1:${port}/socket`,
      bearer,
      openSocket: socketsFrom(null, () => undefined),
      random: seededRandom((seeds += 1)),
    });
    this.client.onChange(({ kind }) => {
      if (kind === 'standing') this.#notePosition();
      const { connection } = this.view;
      if (kind === 'connection' && connection.state === 'reconnecting' && connection.attempt === 1)
        this.losses += 1;
    });
  }

  /** Opens the show; `bearer` absent: as somebody new. */
  static async arrive(port: number, show: VisitedShow, bearer?: string): Promise<StackBuyer> {
    const buyer = new StackBuyer(port, bearer ?? (await newBearer(port)), show);
    buyer.client.start();
    const sections = show.sectionSeats.map((seatCount) => ({ seatCount }));
    const entered = await buyer.client.enter(show.id, { sections });
    const watched = entered.ok ? await buyer.client.watch(sections.map((_, section) => section)) : entered;
    if (!isRefused(watched)) return buyer;
    buyer.client.stop();
    throw new Error(`entering was refused: ${watched.code} ${watched.detail}`);
  }

  /** Opens the show as soon as somebody answers: parts that are coming back say "busy" for a moment. */
  static async arriveInTime(port: number, show: VisitedShow, bearer?: string): Promise<StackBuyer> {
    let arrived: StackBuyer | undefined;
    await until('the show is entered', async () => {
      arrived = await StackBuyer.arrive(port, show, bearer).catch(() => undefined);
      return arrived !== undefined;
    });
    if (!arrived) throw new Error('nobody arrived');
    return arrived;
  }

  get view(): ClientView {
    return this.client.view;
  }

  get hold(): HoldView | null {
    return this.view.hold;
  }

  get isAdmitted(): boolean {
    return this.view.standing.state === 'admitted';
  }

  /** The status of a seat as this buyer's screen shows it. */
  seatStatus(seat: number): number | undefined {
    let start = 0;
    for (const [section, seatCount] of this.#show.sectionSeats.entries()) {
      if (seat < start + seatCount) return this.view.sections.get(section)?.statuses[seat - start];
      start += seatCount;
    }
    return undefined;
  }

  /** Every seat that the screen shows as sold. */
  soldSeats(): readonly number[] {
    const count = this.#show.sectionSeats.reduce((sum, seats) => sum + seats, 0);
    return Array.from({ length: count }, (_, seat) => seat).filter((seat) => this.seatStatus(seat) === SOLD);
  }

  priceOf(seats: readonly number[]): number {
    return seats.reduce((sum, seat) => sum + (PRICES[this.#sectionOf(seat) % PRICES.length] ?? 0), 0);
  }

  /** Joins and awaits the admission. */
  async admitted(): Promise<this> {
    const joined = await this.client.join();
    if (isRefused(joined)) throw new Error(`joining was refused: ${joined.code} ${joined.detail}`);
    await until('admitted', () => this.isAdmitted);
    return this;
  }

  async holds(seats: readonly number[]): Promise<HoldView> {
    const answer = await this.client.hold(seats);
    if (isRefused(answer)) throw new Error(`the hold was refused: ${answer.code} ${answer.detail}`);
    return answer.hold;
  }

  /** Pays for what is held; resolves with the order as it was accepted. */
  async pays(idempotencyKey: string): Promise<OrderMessage> {
    const amount = this.priceOf(this.hold?.seats ?? []);
    const answer = await this.client.checkout({ idempotencyKey, amount });
    if (isRefused(answer)) throw new Error(`the checkout was refused: ${answer.code} ${answer.detail}`);
    return answer.order;
  }

  order(id: string): OrderMessage | undefined {
    return this.view.orders.get(id);
  }

  #sectionOf(seat: number): number {
    let end = 0;
    return this.#show.sectionSeats.findIndex((seatCount) => seat < (end += seatCount));
  }

  #notePosition(): void {
    const { standing } = this.view;
    if (standing.state === 'waiting') this.positions.push(standing.position);
    if (standing.state === 'admitted') this.positions.push(0);
  }
}
