import { randomUUID } from 'node:crypto';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { type Random, seededRandom, systemRandom } from '@stampede/shared/platform/random.ts';
import type { CrowdArguments } from './arguments.ts';
import { Buyer, type BuyerParts } from './buyer.ts';
import { RunKeys, type ToldSeat } from './ledger.ts';
import { type CrowdState, Tally } from './report.ts';
import { PACES } from '../shopper/pace.ts';
import { rankSeats } from '../shopper/seat-choice.ts';
import type { Situation } from '../shopper/situation.ts';
import { serverOf, socketAddress, socketsFrom, type SourceAddress, sourceOf } from '../shopper/sockets.ts';
import { askForSession, type CrowdShow } from '../shopper/ticket-office.ts';

/** Why a run ended. */
export type Ending = 'answered' | 'timed-out' | 'interrupted';

const WISH_MAX = 4;
/** How many buyers want one seat, two, three, and four. */
const WISHES = [0.3, 0.45, 0.1, 0.15] as const;

/** After the end, outcomes of payments under way are waited for this long. */
const PATIENCE_MS = 15_000;
/** A server that is away may come back: each pause is longer by this, up to the longest. */
const SESSION_PAUSE_STEP_MS = 1_000;
const SESSION_PAUSE_MAX_MS = 5_000;
const SESSION_FAILURES_MAX = 12;
/** Keeps the dice of neighbouring buyers apart (the golden ratio in 32 bits). */
const SEED_STEP = 0x9e3779b9;

/** Buyers, from the first to arrive to the last to leave. */
export class CrowdRun {
  readonly tally = new Tally();
  readonly told: ToldSeat[] = [];
  readonly keys: RunKeys;
  /** Buyers who left with a payment under way. */
  readonly undecided = new Set<number>();
  readonly #args: CrowdArguments;
  readonly #buyers: Buyer[];
  readonly #district = systemRandom();
  readonly #ended = Promise.withResolvers<Ending>();
  #isOver = false;

  constructor(args: CrowdArguments, show: CrowdShow) {
    this.#args = args;
    this.keys = new RunKeys(randomUUID().slice(0, 8));
    const parts: BuyerParts = {
      show,
      desirability: rankSeats(show.map),
      onlySeat: args.seat,
      pace: PACES[args.pace],
      keys: this.keys,
      tally: this.tally,
      told: this.told,
      clock: systemClock,
      stopwatch: () => performance.now(),
    };
    this.#buyers = Array.from({ length: args.buyers }, (_, number) => {
      const random = seededRandom(args.seed + (number + 1) * SEED_STEP);
      const wish = wishOf(random, args.seatsPerBuyer ?? Math.min(WISH_MAX, show.seatsPerBuyer));
      return new Buyer(parts, { number, wish, random, openClient: () => this.#openClient(number) });
    });
  }

  /** Sends the buyers in and resolves when the last one has gone. */
  async run(): Promise<Ending> {
    const { rampMs, timeoutMs, buyers } = this.#args;
    const cancels = this.#buyers.map((buyer) =>
      systemClock.after((rampMs * buyer.number) / buyers, () => {
        buyer.visit().catch((cause: unknown) => {
          this.tally.error(`the crowd itself broke: ${String(cause)}`, buyer.number);
          buyer.vanish();
        });
      }),
    );
    cancels.push(systemClock.after(timeoutMs, () => this.#ended.resolve('timed-out')));
    const everybody = Promise.all(this.#buyers.map((buyer) => buyer.finished));
    void everybody.then(() => this.#ended.resolve('answered'));
    const ending = await this.#ended.promise;
    this.#isOver = true;
    for (const cancel of cancels) cancel();
    for (const buyer of this.#buyers) if (!buyer.isGone) buyer.goHome();
    const cancelPatience = systemClock.after(PATIENCE_MS, () => this.vanish());
    await everybody;
    cancelPatience();
    return ending;
  }

  /** Ends the run early, in an orderly way. */
  interrupt(): void {
    this.#ended.resolve('interrupted');
  }

  /** Ends the run in this moment. */
  vanish(): void {
    this.#ended.resolve('interrupted');
    for (const buyer of this.#buyers) {
      if (!buyer.isGone && buyer.situation === 'paying') this.undecided.add(buyer.number);
      buyer.vanish();
    }
  }

  /** Where those stand who have not gone yet. */
  state(): CrowdState {
    const here = this.#buyers.filter((buyer) => !buyer.isGone);
    const at = new Map<Situation['at'], number>();
    for (const { situation } of here) at.set(situation, (at.get(situation) ?? 0) + 1);
    return { at, seatsHeld: here.reduce((sum, buyer) => sum + buyer.seatsHeld, 0) };
  }

  async #openClient(buyer: number): Promise<StampedeClient | null> {
    const server = serverOf(this.#args.servers, buyer);
    const source = sourceOf(server, buyer, this.#district);
    const bearer = await this.#openSession(buyer, server, source);
    if (bearer === null) return null;
    return new StampedeClient({
      url: socketAddress(server),
      bearer,
      openSocket: socketsFrom(source, (kind) => {
        this.tally.note(`a socket failed: ${kind}`);
      }),
      renewSession: async () => {
        this.tally.error('a session went stale', buyer);
        return (await this.#openSession(buyer, server, source)) ?? undefined;
      },
    });
  }

  async #openSession(buyer: number, server: URL, source: SourceAddress): Promise<string | null> {
    for (let failures = 0; failures < SESSION_FAILURES_MAX && !this.#isOver;) {
      const answer = await askForSession(server, source);
      if (answer.kind === 'session') return answer.bearer;
      this.tally.note(answer.kind === 'later' ? 'waited for a session' : `no session: ${answer.reason}`);
      if (answer.kind === 'failed') failures++;
      const pauseMs = Math.min(SESSION_PAUSE_MAX_MS, failures * SESSION_PAUSE_STEP_MS);
      await this.#pause(answer.kind === 'later' ? answer.retryAfterMs : pauseMs);
    }
    this.tally.error('no session to be had', buyer);
    return null;
  }

  /** Ends early with the run. */
  async #pause(ms: number): Promise<void> {
    let cancel: (() => void) | undefined;
    const passed = new Promise((resolve) => {
      cancel = systemClock.after(ms, () => resolve(undefined));
    });
    await Promise.race([passed, this.#ended.promise]);
    cancel?.();
  }
}

/** How many seats a buyer wants, `1…most`. */
function wishOf(random: Random, most: number): number {
  let left = random();
  for (const [index, share] of WISHES.entries()) {
    left -= share;
    if (left < 0) return Math.min(index + 1, most);
  }
  return most;
}
