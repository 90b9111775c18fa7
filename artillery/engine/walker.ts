import type { Answer, OpenSocket, SocketEvents } from '@stampede/shared/client/stampede-client.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { RunKeys } from '../../server/tools/crowd/ledger.ts';
import type { Desirability } from '../../server/tools/shopper/seat-choice.ts';
import { Shopper, type ShopperClient, wasAnswered } from '../../server/tools/shopper/shopper.ts';
import type { CrowdShow, SessionAnswer } from '../../server/tools/shopper/ticket-office.ts';
import type { Outcome } from './flow.ts';
import type { Journal, Stage } from './journal.ts';
import type { KeptState } from './kept-state.ts';
import type { LoadMetrics, RequestName } from './load-metrics.ts';

/** What all buyers of a worker share. */
export interface House {
  readonly show: CrowdShow;
  readonly desirability: Desirability;
  /** The seat that `contested` means. */
  readonly contestedSeat: number;
  readonly keys: RunKeys;
  readonly journal: Journal;
  readonly metrics: LoadMetrics;
  readonly clock: Clock;
  /** Milliseconds with fractions. */
  readonly stopwatch: () => number;
  /** When the first buyer of this worker set out, by the stopwatch. */
  readonly beganAt: number;
}

/** Who a buyer is, and how they reach the server. */
export interface Identity {
  readonly number: number;
  readonly random: Random;
  /** How this buyer's sockets are opened. */
  readonly openSocket: OpenSocket;
  readonly askForSession: () => Promise<SessionAnswer>;
  readonly openClient: (bearer: string, openSocket: OpenSocket) => ShopperClient;
}

/** How a buyer's visit ended; `browsed`: they wanted no ticket, or found none in time and were content. */
export type Fate = 'owners' | 'declined' | 'refused' | 'browsed' | 'unanswered';
/** `over`: the sale ended before the step could be done, which is an answer and no error. */
export type StepResult = Outcome | 'over';

/** A server that is busy is asked again so often. */
const REQUEST_ATTEMPTS_MAX = 5;
const PAUSE_MS = 1_000;
/** What a client hears of a connection that was lost without a word (RFC 6455). */
const LOST = 1006;

/** One virtual user of Artillery: a shopper who walks a flow, with what came of it so far. */
export class Walker {
  readonly house: House;
  readonly identity: Identity;
  /** What was there when the connection was dropped. */
  kept: KeptState | null = null;
  keptAt = 0;
  /** When the socket in use began to open. */
  openedAt = 0;
  /** Whether the server has told everything on the socket in use. */
  hasEntered = false;
  fate: Fate = 'browsed';
  /** Why the last step did not go as expected, where its outcome alone doesn't say. */
  detail = '';
  payments = 0;
  #shopper: Shopper | null = null;
  #line: SocketEvents | null = null;
  #stage: Stage = 'connecting';

  constructor(house: House, identity: Identity) {
    this.house = house;
    this.identity = identity;
    house.metrics.moved(null, 'connecting');
  }

  get number(): number {
    return this.identity.number;
  }

  /** @throws Error before `connect` */
  get shopper(): Shopper {
    if (!this.#shopper) throw new Error('a flow must connect before anything else');
    return this.#shopper;
  }

  /** Opens the page with a session. */
  open(bearer: string): void {
    const { show, clock, stopwatch } = this.house;
    const { random, openSocket, openClient } = this.identity;
    const client = openClient(bearer, (url, subprotocol, events) => {
      this.openedAt = stopwatch();
      this.#line = events;
      return openSocket(url, subprotocol, events);
    });
    this.#shopper = new Shopper({ client, show, random, clock });
    client.onChange((change) => {
      if (change.kind === 'sale' && client.view.connection.state === 'open') this.hasEntered = true;
    });
    client.start();
  }

  /** Cuts the connection like a phone in a tunnel; the client notices and comes back. */
  cut(): void {
    this.hasEntered = false;
    this.#line?.closed(LOST);
  }

  become(stage: Stage): void {
    if (stage === this.#stage) return;
    this.house.metrics.moved(this.#stage, stage);
    this.#stage = stage;
  }

  /** Asks the server, again if it is too busy, and times each answer. */
  async ask<A extends Answer>(request: RequestName, send: () => Promise<A>): Promise<A> {
    const { metrics, stopwatch } = this.house;
    for (let attempt = 1; ; attempt++) {
      metrics.count('requests');
      const sentAt = stopwatch();
      const answer = await send();
      if (wasAnswered(answer)) metrics.answered(request, stopwatch() - sentAt);
      if (answer.ok) return answer;
      this.detail = answer.detail;
      const isPassing = answer.code === 'busy' || answer.code === 'rate-limited';
      if (!isPassing || attempt === REQUEST_ATTEMPTS_MAX) return answer;
      metrics.error(request, answer.code, answer.detail, this.number);
      await this.pause(Math.max(answer.retryAfterMs, PAUSE_MS));
    }
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.house.clock.after(ms, resolve);
    });
  }

  /** Any length between the two, all equally likely. */
  pick([min, max]: readonly [number, number]): number {
    return min + this.identity.random() * (max - min);
  }

  /** Leaves for good: gives back the place and what is held, so that others get it. */
  async goHome(fate: Fate): Promise<void> {
    if (this.#shopper) {
      const { client, view } = this.#shopper;
      const hasPlace = view.standing.state === 'waiting' || view.standing.state === 'admitted';
      if (view.connection.state === 'open' && hasPlace) await this.ask('leave', () => client.leave());
      client.stop();
    }
    this.house.metrics.count(fate);
    this.become('gone');
  }
}
