import type { OrderStatus } from '@stampede/shared/protocol/messages.ts';
import { refusalCodes, type RefusalCode } from '@stampede/shared/protocol/codes.ts';
import type { SeatStatusName } from '@stampede/shared/seat-map/seat-status.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { answerWithin } from './retry.ts';

const REFUSALS = Object.keys(refusalCodes) as RefusalCode[];
const SETTLED = ['confirmed', 'declined', 'voided', 'refunded'] as const satisfies OrderStatus[];

/** How a request for seats or for payment ended; `failed`: a part was broken, and the buyer heard `busy`. */
export type RequestResult = 'done' | 'failed' | RefusalCode;
const RESULTS: readonly RequestResult[] = ['done', 'failed', ...REFUSALS];

/** From what a script in Redis takes to what a buyer gives up at. */
const ANSWER_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5];
/** A bank takes seconds; the payment deadline bounds the rest. */
const SETTLE_SECONDS = [0.1, 0.25, 0.5, 1, 1.5, 2, 3, 5, 8, 13, 20, 30, 60, 120];
/** A store that doesn't answer must not hold up what is known without it. */
const READING_TIMEOUT_MS = 1_000;
const EVENT_LOOP_PRECISION_MS = 10;
const MS_PER_SECOND = 1_000;

/** A number that is only read when Prometheus asks: counting costs an addition. */
export class Tally {
  #value = 0;

  add(amount = 1): void {
    this.#value += amount;
  }

  get value(): number {
    return this.#value;
  }
}

/** A tally for each of a few known labels: what isn't known is not counted, so that labels stay bounded [P7]. */
export class Tallies<Label extends string> {
  readonly #tallies: ReadonlyMap<Label, Tally>;

  constructor(labels: readonly Label[]) {
    this.#tallies = new Map(labels.map((label) => [label, new Tally()]));
  }

  add(label: Label, amount = 1): void {
    this.#tallies.get(label)?.add(amount);
  }

  entries(): Iterable<[Label, Tally]> {
    return this.#tallies.entries();
  }
}

/** A show as this node has it. */
export interface ShowReading {
  readonly show: number;
  /** Buyers, not tabs, who have the show open on this node. */
  readonly sessions: number;
  readonly seats: Readonly<Record<SeatStatusName, number>>;
}

/** A waiting room, of all nodes together. */
export interface WaitingRoomReading {
  readonly show: number;
  readonly waiting: number;
  readonly admitted: number;
}

/**
 * What is asked when Prometheus asks, and not counted in between. Each may take its time, within a second; one that
 * fails leaves out its own metrics only. Readings that are absent have no metric.
 */
export interface Readings {
  readonly socketsOpen?: () => number;
  readonly clockSkewSeconds?: (() => number) | undefined;
  readonly shows?: () => readonly ShowReading[];
  readonly waitingRooms?: () => Promise<readonly WaitingRoomReading[]>;
  /** Settled orders whose effects have not been seen to happen. */
  readonly outboxPending?: () => Promise<number>;
  /** Seats and buyers on which the seat store and the database differ for longer than an order is on its way. */
  readonly reconciliationDifference?: () => number;
}

type Value = readonly [labels: Readonly<Record<string, string | number>>, value: number];

/** Readings that are one number, and what tells of them. */
const NUMBERS = {
  socketsOpen: ['stampede_sockets_open', 'Sockets open on this node.'],
  clockSkewSeconds: ['stampede_clock_skew_seconds', "How far this machine's clock is ahead of the fleet's."],
  outboxPending: ['stampede_outbox_pending', 'Settled orders whose effects have not been seen to happen.'],
  reconciliationDifference: [
    'stampede_reconciliation_difference',
    'Seats and buyers that differ between seat store and database, and not because an order is on its way.',
  ],
} as const satisfies Partial<Record<keyof Readings, readonly [name: string, help: string]>>;

/** Every metric of the process. Made once and handed to whom it concerns; two in one process don't meet. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #clock: Clock;
  readonly framesSent = this.#tally(
    'stampede_frames_sent_total',
    'Frames sent to sockets, broadcasts included.',
  );
  readonly bytesSent = this.#tally('stampede_sent_bytes_total', 'Bytes of the frames sent to sockets.');
  readonly seatChanges = this.#tally('stampede_seat_changes_total', 'Seat changes read from the feeds.');
  readonly admissions = this.#tally('stampede_admissions_total', 'Buyers let in by this node.');
  readonly unknownNotices = this.#tally(
    'stampede_unknown_notices_total',
    'Notices of a newer version in the feeds, skipped by this node.',
  );
  readonly mended = this.tallies(
    'stampede_reconciliation_repairs_total',
    'Live seats and counts that were made what the database says.',
    'kind',
    ['sold', 'unsold', 'counts'],
  );
  readonly catalogReads = this.tallies(
    'stampede_catalog_reads_total',
    'Catalogue reads that reached a layer; every read reaches the process.',
    'layer',
    ['process', 'redis', 'database'],
  );
  readonly #failedReadings = this.#tally(
    'stampede_failed_readings_total',
    'Metrics that could not be read when Prometheus asked.',
  );
  readonly #holds = this.tallies('stampede_holds_total', 'Requests for seats.', 'outcome', RESULTS);
  readonly #checkouts = this.tallies('stampede_checkouts_total', 'Requests to pay.', 'outcome', RESULTS);
  readonly #settled = this.tallies('stampede_orders_settled_total', 'Orders with an end.', 'status', SETTLED);
  readonly #holdSeconds = this.#histogram(
    'stampede_hold_seconds',
    'From the request for seats to its answer.',
    ANSWER_SECONDS,
  );
  readonly #settleSeconds = this.#histogram(
    'stampede_settle_seconds',
    'From the click on pay to the order settled in the database.',
    SETTLE_SECONDS,
  );

  constructor(clock: Clock) {
    this.#clock = clock;
    collectDefaultMetrics({
      register: this.#registry,
      eventLoopMonitoringPrecision: EVENT_LOOP_PRECISION_MS,
    });
  }

  /** A request for seats was answered; null where it was turned away unread. */
  countHold(outcome: RequestResult, durationMs: number | null): void {
    this.#holds.add(outcome);
    if (durationMs !== null) this.#holdSeconds.observe(durationMs / MS_PER_SECOND);
  }

  /** A request to pay was answered. */
  countCheckout(outcome: RequestResult): void {
    this.#checkouts.add(outcome);
  }

  /** An order found its end `durationMs` after its checkout. */
  countSettled(status: OrderStatus, durationMs: number): void {
    if (status === 'processing') return;
    this.#settled.add(status);
    this.#settleSeconds.observe(durationMs / MS_PER_SECOND);
  }

  /** A frame went to so many sockets. */
  countFrames(sockets: number, bytes: number): void {
    this.framesSent.add(sockets);
    this.bytesSent.add(sockets * bytes);
  }

  /** Adds metrics that are read when Prometheus asks; each reading may be added once. */
  addReadings(readings: Readings): void {
    for (const [key, [name, help]] of Object.entries(NUMBERS)) {
      const read = readings[key as keyof typeof NUMBERS];
      if (read) this.#gauge(name, help, [], read, (value) => [[{}, value]]);
    }
    const { shows, waitingRooms } = readings;
    if (shows) {
      const help = 'Buyers who have the show open on this node.';
      this.#gauge('stampede_sessions', help, ['show'], shows, (all) =>
        all.map(({ show, sessions }) => [{ show }, sessions]),
      );
      const seatHelp = 'Seats by status, as this node knows them.';
      this.#gauge('stampede_seats', seatHelp, ['show', 'status'], shows, (all) =>
        all.flatMap(({ show, seats }) =>
          Object.entries(seats).map(([status, count]): Value => [{ show, status }, count]),
        ),
      );
    }
    if (waitingRooms) {
      const read = shared(waitingRooms);
      this.#gauge('stampede_waiting', 'Places in the waiting room.', ['show'], read, (all) =>
        all.map(({ show, waiting }) => [{ show }, waiting]),
      );
      this.#gauge('stampede_admitted', 'Buyers who may shop now.', ['show'], read, (all) =>
        all.map(({ show, admitted }) => [{ show }, admitted]),
      );
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything in Prometheus' text format. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  #tally(name: string, help: string): Tally {
    const tally = new Tally();
    this.#counter(name, help, [], () => [[{}, tally.value]]);
    return tally;
  }

  /** Adds a counter with a few known labels; each name may be added once. */
  tallies<const Label extends string>(
    name: string,
    help: string,
    labelName: string,
    labels: readonly Label[],
  ): Tallies<Label> {
    const tallies = new Tallies(labels);
    this.#counter(name, help, [labelName], () =>
      Array.from(tallies.entries(), ([label, tally]) => [{ [labelName]: label }, tally.value]),
    );
    return tallies;
  }

  #counter(name: string, help: string, labelNames: readonly string[], read: () => readonly Value[]): void {
    new Counter({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.inc(labels, value);
      },
    });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] });
  }

  #gauge<T>(
    name: string,
    help: string,
    labelNames: readonly string[],
    read: () => T | Promise<T>,
    values: (reading: T) => readonly Value[],
  ): void {
    const ask = (): Promise<T | null> => this.#ask(name, async () => read());
    new Gauge({
      name,
      help,
      labelNames,
      registers: [this.#registry],
      async collect() {
        const reading = await ask();
        // What can't be read is left out: a number of before would look like one of now.
        if (labelNames.length === 0) this.remove();
        else this.reset();
        for (const [labels, value] of reading === null ? [] : values(reading)) this.set(labels, value);
      },
    });
  }

  /** Null where a reading failed or took too long; the failure is counted. */
  async #ask<T>(what: string, read: () => Promise<T>): Promise<T | null> {
    try {
      return await answerWithin(this.#clock, READING_TIMEOUT_MS, what, read);
    } catch {
      this.#failedReadings.add();
      return null;
    }
  }
}

/** One reading for all that ask at the same time. */
function shared<T>(read: () => Promise<T>): () => Promise<T> {
  let reading: Promise<T> | null = null;
  return () => {
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  };
}
