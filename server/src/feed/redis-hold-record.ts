import type { Hold } from '../seating/hold.ts';
import { holdToken, orderId, type SeatIndex } from '../platform/ids.ts';
import { PackingError } from '../platform/redis-packing.ts';

/** Reads what a script packed with `struct`: fixed fields one behind the other, little-endian. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: unknown) {
    if (!Buffer.isBuffer(bytes)) throw new PackingError('bytes', bytes);
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#forward(1));
  }

  uint32(): number {
    return this.#bytes.readUInt32LE(this.#forward(4));
  }

  number(): number {
    return this.#bytes.readDoubleLE(this.#forward(8));
  }

  /** A text behind its length in one byte. */
  text(): string {
    const length = this.byte();
    return this.part(length).rest();
  }

  /** All that is left, as a text. */
  rest(): string {
    return this.bytes().toString('utf8');
  }

  /** All that is left, as seats of 32 bits. */
  seats(): readonly SeatIndex[] {
    const seats: SeatIndex[] = [];
    while (!this.isAtEnd) seats.push(this.uint32());
    return seats;
  }

  /** All that is left. */
  bytes(): Buffer {
    return this.#bytes.subarray(this.#forward(this.#bytes.length - this.#at));
  }

  /** The next bytes, to be read for themselves. */
  part(length: number): FieldReader {
    const from = this.#forward(length);
    return new FieldReader(this.#bytes.subarray(from, from + length));
  }

  #forward(length: number): number {
    const at = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new PackingError(`${length} bytes more`, this.#bytes);
    return at;
  }
}

/** How `lua/hold-book.lua` calls the stage of a checkout whose request the payment log has. */
const ACCEPTED = 3;

/** Reads a hold as `seating/lua/hold-book.lua` keeps it and tells of it. */
export function holdOfRecord(record: FieldReader): Hold {
  const [token, expiresAt, revision, amount] = [
    record.number(),
    record.number(),
    record.number(),
    record.number(),
  ];
  const [extensionsLeft, stage, count] = [record.byte(), record.byte(), record.uint32()];
  const packed = record.part(record.uint32());
  const seats = Array.from({ length: count }, () => {
    const seat = packed.uint32();
    // Its price, when and how often it was taken, and from where, are for the scripts.
    packed.part(17);
    packed.text();
    return seat;
  });
  const hold = { holdToken: holdToken(token), seats, amount, expiresAt, extensionsLeft, revision };
  if (stage === 0) return { ...hold, orderId: null, begunAt: 0, isAccepted: false };
  let [begunAt, order] = [0, ''];
  while (!record.isAtEnd) {
    record.part(16);
    begunAt = record.number();
    record.text();
    order = record.text();
  }
  return { ...hold, orderId: orderId(order), begunAt, isAccepted: stage === ACCEPTED };
}
