import type { HttpResponse } from 'uWebSockets.js';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import { HttpRefusal } from './http-refusal.ts';

/** Bytes of a request's body [P7]. */
const BODY_BYTES_MAX = 4 * 1_024;
/** From the head of the request to the last byte of its body, in milliseconds [P7]. */
const BODY_TIMEOUT_MS = 10_000;

/** A body on its way. */
export class IncomingBody {
  readonly #whole = Promise.withResolvers<Uint8Array | HttpRefusal>();
  readonly #callOff: () => void;
  #chunks: Buffer[] = [];
  #length = 0;
  #isSettled = false;

  /**
   * Must be made in the turn in which the request arrived, or the first bytes are lost. `declaredLength` is the
   * `Content-Length` header: a body that announces itself too large needn't be waited for.
   */
  constructor(response: HttpResponse, declaredLength: string, clock: Clock) {
    this.#callOff = clock.after(BODY_TIMEOUT_MS, () => this.abandon());
    response.onData((chunk, isLast) => this.#take(chunk, isLast));
    if (Number(declaredLength) > BODY_BYTES_MAX) this.#refuseSize();
  }

  /** Throws the refusal of what is too large, or never arrived in full: the client is too slow, or gone. */
  async whole(): Promise<Uint8Array> {
    const body = await this.#whole.promise;
    if (body instanceof HttpRefusal) throw body;
    return body;
  }

  /** Nothing more will come, or will be waited for. */
  abandon(): void {
    if (!this.#isSettled) this.#settle(new HttpRefusal(408, 'too-slow', 'The body did not arrive in time.'));
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#isSettled) return;
    this.#length += chunk.byteLength;
    if (this.#length > BODY_BYTES_MAX) {
      this.#refuseSize();
      return;
    }
    // Copied, because the library takes the bytes back when this returns.
    this.#chunks.push(Buffer.from(chunk.slice(0)));
    if (isLast) this.#settle(Buffer.concat(this.#chunks));
  }

  #refuseSize(): void {
    this.#settle(new HttpRefusal(413, 'too-large', 'The body is larger than this interface ever needs.'));
  }

  #settle(body: Uint8Array | HttpRefusal): void {
    this.#isSettled = true;
    this.#callOff();
    this.#chunks = [];
    this.#whole.resolve(body);
  }
}
