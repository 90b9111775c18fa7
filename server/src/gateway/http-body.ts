import type { HttpResponse } from 'uWebSockets.js';
import type { Clock } from '@stampede/shared/platform/clock.ts';

/** Bytes of a request's body [P7]. */
export const BODY_BYTES_MAX = 4 * 1_024;
/** From the head of the request to the last byte of its body, in milliseconds [P7]. */
export const BODY_TIMEOUT_MS = 10_000;

/** What came of waiting for a body. */
export type Body =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'too-large' }
  /** It never arrived in full: the client is too slow, or gone. */
  | { readonly kind: 'unfinished' };

/** A body on its way. */
export class IncomingBody {
  readonly whole: Promise<Body>;
  readonly #resolve: (body: Body) => void;
  readonly #callOff: () => void;
  #chunks: Buffer[] = [];
  #length = 0;
  #isSettled = false;

  /**
   * Must be made in the turn in which the request arrived, or the first bytes are lost. `declaredLength` is the
   * `Content-Length` header: a body that announces itself too large needn't be waited for.
   */
  constructor(response: HttpResponse, declaredLength: string, clock: Clock) {
    const { promise, resolve } = Promise.withResolvers<Body>();
    this.whole = promise;
    this.#resolve = resolve;
    this.#callOff = clock.after(BODY_TIMEOUT_MS, () => this.abandon());
    response.onData((chunk, isLast) => this.#take(chunk, isLast));
    if (Number(declaredLength) > BODY_BYTES_MAX) this.#settle({ kind: 'too-large' });
  }

  /** Nothing more will come, or will be waited for. */
  abandon(): void {
    this.#settle({ kind: 'unfinished' });
  }

  #take(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#isSettled) return;
    this.#length += chunk.byteLength;
    if (this.#length > BODY_BYTES_MAX) {
      this.#settle({ kind: 'too-large' });
      return;
    }
    // Copied, because the library takes the bytes back when this returns.
    this.#chunks.push(Buffer.from(chunk.slice(0)));
    if (isLast) this.#settle({ kind: 'bytes', bytes: Buffer.concat(this.#chunks) });
  }

  #settle(body: Body): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#callOff();
    this.#chunks = [];
    this.#resolve(body);
  }
}
