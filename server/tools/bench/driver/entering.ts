import { decodeServerFrame, encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import type { ClientMessage, ServerMessage } from '@stampede/shared/protocol/messages.ts';
import type { MassCrowd } from '../../mass/mass-crowd.ts';
import { maskedFrame } from '../../mass/frame-writing.ts';
import type { EnterCall } from './driver-calls.ts';

const ENTERING_MAX = 300;
const WITHIN_MS = 120_000;
/** Numbers of requests that no other part of a driver uses. */
const ENTER = 900_001;
const JOIN = 900_002;
const WATCH = 900_003;

/** Brings every socket into the show, some at a time. */
export class Entering {
  readonly #crowd: MassCrowd;
  readonly #call: EnterCall;
  readonly #end = Promise.withResolvers<undefined>();
  readonly #came: Uint8Array;
  #next = 0;
  #arrived = 0;

  constructor(crowd: MassCrowd, call: EnterCall) {
    this.#crowd = crowd;
    this.#call = call;
    this.#came = new Uint8Array(crowd.size);
  }

  async run(): Promise<void> {
    const timer = setTimeout(() => {
      this.#end.reject(new Error(`only ${this.#arrived} of ${this.#crowd.size} came in`));
    }, WITHIN_MS);
    for (let count = 0; count < ENTERING_MAX; count++) this.#enterNext();
    await this.#end.promise.finally(() => clearTimeout(timer));
  }

  message(socket: number, bytes: Buffer, start: number, end: number): void {
    const decoded = decodeServerFrame(bytes.subarray(start, end));
    if (!decoded.ok) this.#end.reject(new Error(`an unreadable frame: ${decoded.detail}`));
    else this.#heard(socket, decoded.message);
  }

  closed(code: number): void {
    this.#end.reject(new Error(`the server closed a socket (${code})`));
  }

  #heard(socket: number, message: ServerMessage): void {
    const { until } = this.#call;
    if (message.type === 'refused') {
      this.#end.reject(new Error(`refused: ${message.code} ${message.detail}`));
    } else if (message.type === 'entered' && until !== 'entered') {
      this.#say(socket, { type: 'join', requestId: JOIN, receipt: null });
    } else if (message.type === until && this.#isNew(socket)) {
      this.#watch(socket);
    } else if (message.type === 'done' && message.requestId === WATCH) {
      this.#arrive();
    }
  }

  /** Positions and admissions may be told again. */
  #isNew(socket: number): boolean {
    if (this.#came[socket] === 1) return false;
    this.#came[socket] = 1;
    return true;
  }

  #watch(socket: number): void {
    const { watch, watchers } = this.#call;
    if (socket >= watchers || watch.length === 0) {
      this.#arrive();
      return;
    }
    const sections = watch.map((section) => ({ section, epoch: 0, sequence: 0 }));
    this.#say(socket, { type: 'watch', requestId: WATCH, sections });
  }

  #arrive(): void {
    this.#arrived += 1;
    if (this.#arrived === this.#crowd.size) this.#end.resolve(undefined);
    else this.#enterNext();
  }

  #enterNext(): void {
    if (this.#next >= this.#crowd.size) return;
    this.#say(this.#next++, { type: 'enter', requestId: ENTER, show: this.#call.show });
  }

  #say(socket: number, message: ClientMessage): void {
    this.#crowd.send(socket, maskedFrame(encodeClientMessage(message)));
  }
}
