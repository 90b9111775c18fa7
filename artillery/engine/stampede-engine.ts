import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { type Random, seededRandom, systemRandom } from '@stampede/shared/platform/random.ts';
import { AVAILABLE } from '@stampede/shared/seat-map/seat-status.ts';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import { z } from 'zod';
import { RunKeys } from '../../server/tools/crowd/ledger.ts';
import { type Desirability, rankSeats } from '../../server/tools/shopper/seat-choice.ts';
import { serverOf, socketAddress, socketsFrom, sourceOf } from '../../server/tools/shopper/sockets.ts';
import { askForSession, findShow, readSeatStatuses } from '../../server/tools/shopper/ticket-office.ts';
import { parseEngineConfig } from './engine-config.ts';
import { parseFlow } from './flow.ts';
import { makeJourney } from './journey.ts';
import { Journal, JOURNAL_VARIABLE, RUN_VARIABLE } from './journal.ts';
import { LoadMetrics, type MetricEvents } from './load-metrics.ts';
import { type House, type Identity, Walker } from './walker.ts';

/** What Artillery hands to an engine, as far as it is used. */
const scenarioSpec = z.object({ name: z.string().default('a scenario'), flow: z.array(z.unknown()) });

/** Calls back when the virtual user is done; an error counts the user as failed. */
type Scenario = (context: unknown, callback: (error: Error | null, context: unknown) => void) => void;

/** Buyers of different workers of Artillery have different numbers. */
const NUMBERS_PER_WORKER = 1_000_000;
const RUN_NAME_LENGTH = 8;
const SEEDS = 2 ** 32;
const PROGRESS_INTERVAL_MS = 1_000;
const DELAY_RESOLUTION_MS = 10;
const NS_PER_MS = 1_000_000;

/**
 * Artillery's engine for Stampede: one virtual user is one buyer with a session of their own. Artillery makes one
 * engine in each of its workers and calls `init` before the first user sets out.
 */
export default class StampedeEngine {
  readonly #config: ReturnType<typeof parseEngineConfig>;
  readonly #worker = process.env['LOCAL_WORKER_ID'] ?? '0';
  readonly #journal: Journal;
  readonly #metrics: LoadMetrics;
  readonly #keys: RunKeys;
  /** Keeps the addresses of workers and runs apart. */
  readonly #district = systemRandom();
  #house: House | null = null;
  #buyers = 0;

  constructor(script: unknown) {
    this.#config = parseEngineConfig(script);
    this.#journal = new Journal(process.env[JOURNAL_VARIABLE], this.#worker);
    this.#metrics = new LoadMetrics(this.#journal);
    this.#keys = new RunKeys(process.env[RUN_VARIABLE] ?? randomUUID().slice(0, RUN_NAME_LENGTH));
  }

  /** Finds the show that the buyers come for. Artillery waits for it because it is an async function. */
  async init(): Promise<void> {
    const [server] = this.#config.servers;
    const show = await findShow(server, this.#config.show);
    const desirability = rankSeats(show.map);
    this.#house = {
      show,
      desirability,
      contestedSeat: bestFreeSeat(await readSeatStatuses(server, show), desirability),
      keys: this.#keys,
      journal: this.#journal,
      metrics: this.#metrics,
      clock: systemClock,
      stopwatch: () => performance.now(),
      beganAt: 0,
    };
  }

  /** Called once for each scenario of the script; the result once for each virtual user. */
  createScenario(spec: unknown, events: MetricEvents): Scenario {
    const { name, flow } = scenarioSpec.parse(spec);
    const steps = parseFlow(flow, name);
    return (context, callback) => {
      events.emit('started');
      const buyer = this.#newBuyer(events);
      void makeJourney(buyer, steps).then(
        (wentWell) => callback(wentWell ? null : new Error('a buyer met what was not expected'), context),
        (cause: unknown) => callback(cause instanceof Error ? cause : new Error(String(cause)), context),
      );
    };
  }

  #newBuyer(events: MetricEvents): Walker {
    if (!this.#house) throw new Error('Artillery sent a buyer before the engine was ready');
    if (this.#buyers === 0) {
      this.#metrics.begin(events);
      this.#house = { ...this.#house, beganAt: performance.now() };
      this.#reportProgress();
    }
    const number = this.#buyers++;
    return new Walker(this.#house, this.#identityOf(number));
  }

  #identityOf(number: number): Identity {
    const server = serverOf(this.#config.servers, number);
    const source = sourceOf(server, number, this.#district);
    return {
      number: Number(this.#worker) * NUMBERS_PER_WORKER + number,
      random: newRandom(),
      askForSession: () => askForSession(server, source),
      openSocket: socketsFrom(source, () => undefined),
      openClient: (bearer, openSocket) =>
        new StampedeClient({ url: socketAddress(server), bearer, openSocket }),
    };
  }

  #reportProgress(): void {
    const ownDelay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    ownDelay.enable();
    const report = (): void => {
      this.#journal.write({ type: 'progress', ...this.#metrics.progress() });
      if (ownDelay.count === 0) return;
      // Node counts the time between two looks, so an idle loop shows the resolution.
      const lateMs = ownDelay.percentile(99) / NS_PER_MS - DELAY_RESOLUTION_MS;
      this.#metrics.waited('own_delay', Math.max(0, lateMs));
      ownDelay.reset();
    };
    setInterval(report, PROGRESS_INTERVAL_MS).unref();
    report();
  }
}

/** Repeatable within a buyer's visit and cheap, seeded by chance. */
function newRandom(): Random {
  return seededRandom(Math.floor(systemRandom() * SEEDS));
}

/** The seat that everybody wants most of those that are free; of all where none is. */
function bestFreeSeat(statuses: Uint8Array, { ofSeat }: Desirability): number {
  const seats = Array.from(statuses.keys());
  const free = seats.filter((seat) => statuses[seat] === AVAILABLE);
  const ranked = (free.length > 0 ? free : seats).toSorted((a, b) => (ofSeat[a] ?? 0) - (ofSeat[b] ?? 0));
  return ranked[0] ?? 0;
}
