import { performance } from 'node:perf_hooks';
import type { WorkCall, WorkResult } from './driver-calls.ts';
import { percentile } from '../statistics.ts';

const MS_PER_SECOND = 1_000;
const PACE_MS = 1;
/** Nothing of ours takes so long; what is not over by then never will be. */
const SILENCE_MS = 30_000;

/** What sockets do, and how it is known that one has done it. */
export interface Errands {
  /** Sends what begins an errand; `count` rises from 0 with each of the socket's. */
  begin(socket: number, count: number): void;
  /** A message came; its payload is `bytes[start … end)`. Tells the workload when an errand is over. */
  heard(socket: number, bytes: Buffer, start: number, end: number): void;
}

/** Errands of many sockets, timed. From the first to the last it allocates next to nothing. */
export class Workload {
  readonly #call: WorkCall;
  readonly #sockets: readonly number[];
  readonly #errands: Errands;
  readonly #total: number;
  /** By socket: errands begun, and when the last of them was due. */
  readonly #begun: Uint32Array;
  readonly #dueAt: Float64Array;
  readonly #latencies: Float64Array;
  readonly #outcomes = new Map<string, number>();
  readonly #end = Promise.withResolvers<undefined>();
  #nextSocket = 0;
  #over = 0;
  #bytes = 0;
  #lastAt = performance.now();

  /**
   * @param sockets who goes; the others may hear something
   * @param size of the whole crowd
   */
  constructor(
    call: WorkCall,
    sockets: readonly number[],
    size: number,
    errandsOf: (workload: Workload) => Errands,
  ) {
    this.#call = call;
    this.#sockets = sockets;
    this.#total = sockets.length * call.times;
    this.#begun = new Uint32Array(size);
    this.#dueAt = new Float64Array(size);
    this.#latencies = new Float64Array(this.#total);
    this.#errands = errandsOf(this);
  }

  /** @throws Error if an errand can't be done, or if nothing happens any more */
  async run(): Promise<WorkResult> {
    const startedAt = performance.now();
    const { pace } = this.#call;
    const timers = [setInterval(() => this.#watch(), MS_PER_SECOND)];
    try {
      if (this.#total === 0) return { seconds: 0, outcomes: {}, p50: 0, p99: 0, max: 0, replyBytes: 0 };
      if ('inFlight' in pace) for (let count = 0; count < pace.inFlight; count++) this.#beginNextSocket();
      else timers.push(this.#pace(startedAt, pace.perSecond));
      await this.#end.promise;
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
    this.#latencies.sort();
    return {
      seconds: (this.#lastAt - startedAt) / MS_PER_SECOND,
      outcomes: Object.fromEntries(this.#outcomes),
      p50: percentile(this.#latencies, 0.5),
      p99: percentile(this.#latencies, 0.99),
      max: percentile(this.#latencies, 1),
      replyBytes: this.#bytes / this.#total,
    };
  }

  message(socket: number, bytes: Buffer, start: number, end: number): void {
    this.#errands.heard(socket, bytes, start, end);
  }

  closed(code: number): void {
    this.fail(`the server closed a socket (${code})`);
  }

  /** An errand of this socket is over. */
  over(socket: number, outcome: string, bytes = 0): void {
    const now = performance.now();
    this.#latencies[this.#over++] = now - (this.#dueAt[socket] ?? 0);
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
    this.#bytes += bytes;
    this.#lastAt = now;
    if (this.#over === this.#total) this.#end.resolve(undefined);
    else if ('perSecond' in this.#call.pace) return;
    else if ((this.#begun[socket] ?? 0) < this.#call.times) this.#begin(socket, now);
    else this.#beginNextSocket();
  }

  /** The work can't be done. */
  fail(why: string): void {
    this.#end.reject(new Error(why));
  }

  #beginNextSocket(): void {
    const socket = this.#sockets[this.#nextSocket++];
    if (socket !== undefined) this.#begin(socket, performance.now());
  }

  #begin(socket: number, dueAt: number): void {
    const count = this.#begun[socket] ?? 0;
    this.#begun[socket] = count + 1;
    this.#dueAt[socket] = dueAt;
    this.#errands.begin(socket, count);
  }

  /** Each socket in turn, when its errand is due. */
  #pace(startedAt: number, perSecond: number): NodeJS.Timeout {
    let begun = 0;
    return setInterval(() => {
      const due = Math.min(this.#total, ((performance.now() - startedAt) / MS_PER_SECOND) * perSecond);
      for (; begun < due; begun++) {
        const socket = this.#sockets[begun % this.#sockets.length] ?? 0;
        this.#begin(socket, startedAt + (begun / perSecond) * MS_PER_SECOND);
      }
    }, PACE_MS);
  }

  #watch(): void {
    if (performance.now() - this.#lastAt < SILENCE_MS) return;
    const ends = [...this.#outcomes].map(([outcome, count]) => `${count} × ${outcome}`).join(', ');
    this.fail(`nothing happened for ${SILENCE_MS} ms; of ${this.#total} were over: ${ends || 'none'}`);
  }
}
