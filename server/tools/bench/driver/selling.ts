import { performance } from 'node:perf_hooks';
import { decodeServerFrame, encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import {
  type ClientMessage,
  type ServerMessage,
  serverMessages,
} from '@stampede/shared/protocol/messages.ts';
import { decodeSectionDelta } from '@stampede/shared/seat-map/section-delta.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { MassCrowd } from '../../mass/mass-crowd.ts';
import { maskedFrame } from '../../mass/frame-writing.ts';
import { percentile } from '../statistics.ts';
import type { SellCall, SellResult } from './driver-calls.ts';
import { opcodeAt } from './packed-fields.ts';

const HOLD = 1;
const PAY = 2;
const MS_PER_SECOND = 1_000;
const PACE_MS = 1;
const SILENCE_MS = 30_000;
/** The socket whose deltas tell when others see a seat as sold. */
const WATCHER = 0;

/**
 * Buyers who hold, pay and wait for their tickets. At their own speed each goes through it in one go; at a given pace
 * all hold first, and then pay one after the other.
 */
export class Selling {
  readonly #crowd: MassCrowd;
  readonly #call: SellCall;
  readonly #end = Promise.withResolvers<undefined>();
  readonly #failures = new Map<string, number>();
  readonly #tokens: Float64Array;
  /** By seat: when its buyer clicked on pay. */
  readonly #paidAt = new Map<number, number>();
  readonly #latencies: number[] = [];
  readonly #buyers: number;
  #allHold: (() => void) | null = null;
  #nextBuyer = 0;
  #holding = 0;
  #confirmed = 0;
  #failed = 0;
  #lastAt = 0;

  constructor(crowd: MassCrowd, call: SellCall) {
    this.#crowd = crowd;
    this.#call = call;
    this.#buyers = crowd.size - call.firstBuyer;
    this.#tokens = new Float64Array(crowd.size);
  }

  async run(): Promise<SellResult> {
    this.#lastAt = performance.now();
    const watchdog = setInterval(() => {
      if (performance.now() - this.#lastAt < SILENCE_MS) return;
      this.#end.reject(
        new Error(`nothing happened for ${SILENCE_MS} ms; ${this.#confirmed} orders were confirmed`),
      );
    }, MS_PER_SECOND);
    const { perSecond, inFlight } = this.#call;
    try {
      let startedAt = performance.now();
      const allHold = perSecond === null ? null : Promise.withResolvers<undefined>();
      if (allHold) this.#allHold = () => allHold.resolve(undefined);
      for (let count = 0; count < inFlight; count++) this.#begin();
      if (allHold && perSecond !== null) {
        await Promise.race([allHold.promise, this.#end.promise]);
        startedAt = performance.now();
        this.#payAtPace(startedAt, perSecond);
      }
      await this.#end.promise;
      return this.#result((this.#lastAt - startedAt) / MS_PER_SECOND);
    } finally {
      clearInterval(watchdog);
    }
  }

  message(socket: number, bytes: Buffer, start: number, end: number): void {
    const isDelta = opcodeAt(bytes, start) === serverMessages.delta.opcode;
    if (isDelta && socket !== WATCHER) return;
    const decoded = decodeServerFrame(bytes.subarray(start, end));
    if (!decoded.ok) this.#end.reject(new Error(`an unreadable frame: ${decoded.detail}`));
    else this.#heard(socket, decoded.message);
  }

  closed(code: number): void {
    this.#end.reject(new Error(`the server closed a socket (${code})`));
  }

  #heard(socket: number, message: ServerMessage): void {
    if (message.type === 'delta') {
      this.#seen(message.section, message.changes);
    } else if (message.type === 'hold' && message.requestId === HOLD) {
      this.#tokens[socket] = message.holdToken;
      this.#holding += 1;
      if (this.#call.perSecond === null) this.#pay(socket, performance.now());
      else if (this.#holding === this.#buyers) this.#allHold?.();
      else this.#begin();
    } else if (message.type === 'refused') {
      this.#over(message.code);
    } else if (message.type === 'order' && message.order.status !== 'processing') {
      this.#over(message.order.status);
    }
  }

  /** When the last order is over, and its seats were seen as sold where somebody watches. */
  #over(how: string): void {
    this.#lastAt = performance.now();
    if (how === 'confirmed') {
      this.#confirmed += 1;
    } else {
      this.#failed += 1;
      this.#failures.set(how, (this.#failures.get(how) ?? 0) + 1);
    }
    if (this.#call.perSecond === null) this.#begin();
    this.#endIfDone();
  }

  #endIfDone(): void {
    const isSeen = this.#call.perSecond === null || this.#paidAt.size === 0 || this.#failed > 0;
    if (this.#confirmed + this.#failed === this.#buyers && isSeen) this.#end.resolve(undefined);
  }

  #seen(section: number, packed: Uint8Array): void {
    const { seatsPerSection } = this.#call;
    for (const { seat, status } of decodeSectionDelta(packed, seatsPerSection) ?? []) {
      const index = section * seatsPerSection + seat;
      const paidAt = status === SOLD ? this.#paidAt.get(index) : undefined;
      if (paidAt === undefined) continue;
      this.#paidAt.delete(index);
      this.#lastAt = performance.now();
      this.#latencies.push(this.#lastAt - paidAt);
    }
    this.#endIfDone();
  }

  #begin(): void {
    if (this.#nextBuyer >= this.#buyers) return;
    const buyer = this.#nextBuyer++;
    const { seatsPerOrder, firstBuyer } = this.#call;
    const seats = Array.from({ length: seatsPerOrder }, (_, index) => buyer * seatsPerOrder + index);
    this.#say(firstBuyer + buyer, { type: 'hold', requestId: HOLD, seats });
  }

  #pay(socket: number, now: number): void {
    const { seatsPerOrder, firstBuyer, price, label } = this.#call;
    if (this.#call.perSecond !== null) this.#paidAt.set((socket - firstBuyer) * seatsPerOrder, now);
    this.#say(socket, {
      type: 'checkout',
      requestId: PAY,
      holdToken: this.#tokens[socket] ?? 0,
      idempotencyKey: `${label}-${socket}`,
      amount: price * seatsPerOrder,
    });
  }

  #payAtPace(startedAt: number, perSecond: number): void {
    let paid = 0;
    const timer = setInterval(() => {
      const due = Math.min(this.#buyers, ((performance.now() - startedAt) / MS_PER_SECOND) * perSecond);
      while (paid < due) {
        this.#pay(this.#call.firstBuyer + paid, startedAt + (paid / perSecond) * MS_PER_SECOND);
        paid += 1;
      }
      if (paid === this.#buyers) clearInterval(timer);
    }, PACE_MS);
    void this.#end.promise.catch(() => undefined).finally(() => clearInterval(timer));
  }

  #result(seconds: number): SellResult {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const at = (share: number): number => (sorted.length === 0 ? 0 : percentile(sorted, share));
    return {
      seconds,
      confirmed: this.#confirmed,
      failed: this.#failed,
      failures: Object.fromEntries(this.#failures),
      p50: at(0.5),
      p99: at(0.99),
      max: at(1),
    };
  }

  #say(socket: number, message: ClientMessage): void {
    this.#crowd.send(socket, maskedFrame(encodeClientMessage(message)));
  }
}
