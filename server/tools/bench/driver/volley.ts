import { performance } from 'node:perf_hooks';
import { serverMessages } from '@stampede/shared/protocol/messages.ts';
import type { MassCrowd } from '../../mass/mass-crowd.ts';
import { percentile } from '../statistics.ts';
import type { VolleyCall, VolleyResult } from './driver-calls.ts';
import { fillHoldFrame, holdFrame } from './hold-frame.ts';
import { afterNumber, firstField, numberAt, opcodeAt } from './packed-fields.ts';

/** With no common divisor with any number of seats of ours: neighbours in time are far apart in the house. */
const SEAT_STRIDE = 7_919;
const MS_PER_SECOND = 1_000;
const PACE_MS = 1;
/** Nothing of ours takes so long; what is unanswered by then never will be. */
const SILENCE_MS = 20_000;

/** Requests of all sockets, timed. Nothing is allocated from the first to the last. */
export class Volley {
  readonly #crowd: MassCrowd;
  readonly #call: VolleyCall;
  readonly #frames: readonly Buffer[];
  /** By socket: requests sent, and when the last of them was due. */
  readonly #sent: Uint32Array;
  readonly #dueAt: Float64Array;
  readonly #latencies: Float64Array;
  /** By socket: the token of its hold; 0 without. */
  readonly tokens: Float64Array;
  readonly #end = Promise.withResolvers<undefined>();
  #nextSocket = 0;
  #answered = 0;
  #held = 0;
  #refused = 0;
  #bytes = 0;
  #lastAnswerAt = 0;

  constructor(crowd: MassCrowd, call: VolleyCall) {
    this.#crowd = crowd;
    this.#call = call;
    this.#frames = Array.from({ length: crowd.size }, holdFrame);
    this.#sent = new Uint32Array(crowd.size);
    this.#dueAt = new Float64Array(crowd.size);
    this.tokens = new Float64Array(crowd.size);
    this.#latencies = new Float64Array(crowd.size * call.perSocket);
  }

  async run(): Promise<VolleyResult> {
    const startedAt = performance.now();
    this.#lastAnswerAt = startedAt;
    const watchdog = setInterval(() => {
      if (performance.now() - this.#lastAnswerAt < SILENCE_MS) return;
      this.#end.reject(new Error(`no answer for ${SILENCE_MS} ms, ${this.#answered} had come`));
    }, MS_PER_SECOND);
    try {
      if (this.#call.perSecond === null) {
        for (let count = 0; count < this.#call.inFlight; count++) this.#sendOfNextSocket();
      } else {
        this.#pace(startedAt, this.#call.perSecond);
      }
      await this.#end.promise;
    } finally {
      clearInterval(watchdog);
    }
    const sorted = this.#latencies.subarray(0, this.#answered).sort();
    return {
      seconds: (this.#lastAnswerAt - startedAt) / MS_PER_SECOND,
      held: this.#held,
      refused: this.#refused,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      max: percentile(sorted, 1),
      replyBytes: this.#bytes / this.#answered,
    };
  }

  /** A message of the server to one of the sockets. */
  message(socket: number, bytes: Buffer, start: number, end: number): void {
    if (this.#call.kind === 'hold' && !this.#isAnswer(socket, bytes, start)) return;
    const now = performance.now();
    this.#latencies[this.#answered++] = now - (this.#dueAt[socket] ?? 0);
    this.#bytes += end - start;
    this.#lastAnswerAt = now;
    if (this.#answered === this.#latencies.length) this.#end.resolve(undefined);
    else if (this.#call.perSecond !== null) return;
    else if ((this.#sent[socket] ?? 0) < this.#call.perSocket) this.#send(socket, now);
    else this.#sendOfNextSocket();
  }

  closed(code: number): void {
    this.#end.reject(new Error(`the server closed a socket (${code})`));
  }

  #isAnswer(socket: number, bytes: Buffer, start: number): boolean {
    const opcode = opcodeAt(bytes, start);
    const field = firstField(start);
    if (opcode === serverMessages.hold.opcode) {
      this.tokens[socket] = numberAt(bytes, afterNumber(bytes, field));
      if (numberAt(bytes, field) === 0) return false;
      this.#held += 1;
      return true;
    }
    if (opcode !== serverMessages.refused.opcode) return false;
    this.#refused += 1;
    return true;
  }

  #sendOfNextSocket(): void {
    if (this.#nextSocket < this.#crowd.size) this.#send(this.#nextSocket++, performance.now());
  }

  #send(socket: number, dueAt: number): void {
    const { seat, seatCount, perSocket } = this.#call;
    const count = this.#sent[socket] ?? 0;
    this.#sent[socket] = count + 1;
    this.#dueAt[socket] = dueAt;
    const frame = this.#frames[socket];
    if (!frame) return;
    fillHoldFrame(frame, count + 1, seat ?? ((socket * perSocket + count) * SEAT_STRIDE) % seatCount);
    this.#crowd.send(socket, frame);
  }

  /** Each socket in turn, when its request is due. */
  #pace(startedAt: number, perSecond: number): void {
    let sent = 0;
    const total = this.#latencies.length;
    const timer = setInterval(() => {
      const due = Math.min(total, ((performance.now() - startedAt) / MS_PER_SECOND) * perSecond);
      while (sent < due) {
        this.#send(sent % this.#crowd.size, startedAt + (sent / perSecond) * MS_PER_SECOND);
        sent += 1;
      }
      if (sent === total) clearInterval(timer);
    }, PACE_MS);
    void this.#end.promise.catch(() => undefined).finally(() => clearInterval(timer));
  }
}
