import type { Answer, StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { Random } from '@stampede/shared/platform/random.ts';
import type { RunKeys } from '../../server/tools/crowd/ledger.ts';
import type { Desirability } from '../../server/tools/crowd/seat-choice.ts';
import type { CrowdShow, SessionAnswer } from '../../server/tools/crowd/ticket-office.ts';
import type { DroppableLine } from './droppable-line.ts';
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
  readonly askForSession: () => Promise<SessionAnswer>;
  readonly openClient: (bearer: string) => { readonly client: StampedeClient; readonly line: DroppableLine };
}

/** How a buyer's visit ended; `browsed`: they wanted no ticket, or found none in time and were content. */
export type Fate = 'owners' | 'declined' | 'refused' | 'browsed' | 'unanswered';
/** `over`: the sale ended before the step could be done, which is an answer and no error. */
export type StepResult = Outcome | 'over';

/** A server that is busy is asked again so often. */
const REQUEST_ATTEMPTS_MAX = 5;
const PAUSE_MS = 1_000;

/** One virtual user of Artillery: a session with the server, and what came of it so far. */
export class VirtualBuyer {
  readonly house: House;
  readonly identity: Identity;
  line: DroppableLine | null = null;
  /** What was there when the connection was dropped. */
  kept: KeptState | null = null;
  keptAt = 0;
  /** Whether the server has told everything on the socket in use. */
  hasEntered = false;
  fate: Fate = 'browsed';
  /** Why the last step did not go as expected, where its outcome alone doesn't say. */
  detail = '';
  payments = 0;
  #client: StampedeClient | null = null;
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
  get client(): StampedeClient {
    if (!this.#client) throw new Error('a flow must connect before anything else');
    return this.#client;
  }

  get isConnected(): boolean {
    return this.#client !== null;
  }

  /** Whether nothing more is to be had in this sale. */
  get isSaleOver(): boolean {
    const phase = this.client.view.phase?.phase;
    return phase === 'sold-out' || phase === 'closed';
  }

  adopt(client: StampedeClient, line: DroppableLine): void {
    this.#client = client;
    this.line = line;
    client.onChange((change) => {
      if (change.kind === 'sale' && client.view.connection.state === 'open') this.hasEntered = true;
    });
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
      const wasAnswered = answer.ok || (answer.code !== 'disconnected' && answer.code !== 'timed-out');
      if (wasAnswered) metrics.answered(request, stopwatch() - sentAt);
      if (answer.ok) return answer;
      this.detail = answer.detail;
      const isPassing = answer.code === 'busy' || answer.code === 'rate-limited';
      if (!isPassing || attempt === REQUEST_ATTEMPTS_MAX) return answer;
      metrics.error(request, answer.code, answer.detail, this.number);
      await this.pause(Math.max(answer.retryAfterMs, PAUSE_MS));
    }
  }

  /** Waits until something is true of what the client shows; false if it was not within so many seconds. */
  until(isTrue: () => boolean, seconds: number): Promise<boolean> {
    if (isTrue()) return Promise.resolve(true);
    return new Promise((resolve) => {
      const end = (result: boolean): void => {
        cancel();
        ignore();
        resolve(result);
      };
      const cancel = this.house.clock.after(seconds * 1_000, () => end(false));
      const ignore = this.client.onChange(() => {
        if (isTrue()) end(true);
        else if (this.client.view.connection.state === 'stopped') end(false);
      });
    });
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
    const { metrics } = this.house;
    if (this.#client) {
      const { connection, standing } = this.#client.view;
      const hasPlace = standing.state === 'waiting' || standing.state === 'admitted';
      if (connection.state === 'open' && hasPlace) await this.ask('leave', () => this.client.leave());
      this.#client.stop();
    }
    metrics.count(fate);
    this.become('gone');
  }
}
