import { Decoder, Encoder } from '@msgpack/msgpack';

/**
 * Stands in for `msgpackr` in the browser (see `vite.config.ts`): the part of it that `shared/src/protocol/codec.ts`
 * uses, by a library of half its size. The server's is faster by its native reading of texts and by its records,
 * neither of which a page has. Both speak MessagePack, and a test holds them to the same bytes.
 */
export class Packr {
  readonly #encoder = new Encoder();
  readonly #decoder = new Decoder();

  pack(value: unknown): Uint8Array {
    return this.#encoder.encode(value);
  }

  /** Throws unless the frame is exactly one value. Bytes in it are views of the frame's own. */
  unpack(frame: Uint8Array): unknown {
    return this.#decoder.decode(frame);
  }
}
