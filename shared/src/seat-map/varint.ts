/** Unsigned LEB128, as in Protocol Buffers: seven bits a byte, the high bit says that more follow. */
const PAYLOAD_BITS = 7;
const PAYLOAD_MASK = 0x7f;
const MORE = 0x80;
const VARINT_BYTES_MAX = 5;

/** Appends numbers `0…2^31 − 1`. */
export class VarintWriter {
  readonly #bytes: number[] = [];

  write(value: number): void {
    let rest = value;
    while (rest > PAYLOAD_MASK) {
      this.#bytes.push((rest & PAYLOAD_MASK) | MORE);
      rest >>>= PAYLOAD_BITS;
    }
    this.#bytes.push(rest);
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads what `VarintWriter` wrote; a cut-off or overlong number ends reading with `broken` set. */
export class VarintReader {
  #at = 0;
  #broken = false;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get broken(): boolean {
    return this.#broken;
  }

  get done(): boolean {
    return this.#broken || this.#at >= this.#bytes.length;
  }

  read(): number {
    let value = 0;
    for (let index = 0; index < VARINT_BYTES_MAX; index++) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value |= (byte & PAYLOAD_MASK) << (index * PAYLOAD_BITS);
      if (byte < MORE) return value >>> 0;
    }
    this.#broken = true;
    return 0;
  }
}
