import { inspect } from 'node:util';
import { refusalCodes, type RefusalCode } from '@stampede/shared/protocol/codes.ts';
import { Packr, Unpackr } from 'msgpackr';
import { done, type Outcome, refuse } from './outcome.ts';

// What travels between us and the scripts in Redis. Most of it is MessagePack; what happens to seats comes too often
// for that, and is packed with `struct` in fixed fields (`FieldReader`).

/** What travels to scripts and back as MessagePack; Lua has no null inside a list, so `false` stands for "none". */
export type Packed = string | number | boolean | readonly Packed[];

const packr = new Packr({ useRecords: false });
// Lua's numbers are doubles, and cmsgpack writes the whole ones as 64-bit integers.
const unpackr = new Unpackr({ useRecords: false, int64AsType: 'number' });

export function pack(value: Packed): Buffer {
  return packr.pack(value);
}

/** Reads what a script packed. */
export function unpack(bytes: unknown): unknown {
  return unpackr.unpack(bytesOf(bytes)) as unknown;
}

/** Redis holds something that no version of ours wrote. */
export class PackingError extends Error {
  override readonly name = 'PackingError';

  constructor(expected: string, found: unknown) {
    super(`Redis answered with ${inspect(found, { depth: 1, maxStringLength: 80 })}, not with ${expected}`);
  }
}

export function bytesOf(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw new PackingError('bytes', value);
  return value;
}

export function numberOf(value: unknown): number {
  if (typeof value !== 'number') throw new PackingError('a number', value);
  return value;
}

export function textOf(value: unknown): string {
  if (typeof value !== 'string') throw new PackingError('a text', value);
  return value;
}

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new PackingError('a list', value);
  return value;
}

export function numbersOf(value: unknown): readonly number[] {
  return listOf(value).map(numberOf);
}

/** Reads what a script packed with `struct`: fixed fields one behind the other, little-endian. */
export class FieldReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: unknown) {
    this.#bytes = bytesOf(bytes);
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
    return this.part(this.byte()).rest();
  }

  /** All that is left, as a text. */
  rest(): string {
    const from = this.#forward(this.#bytes.length - this.#at);
    return this.#bytes.toString('utf8', from);
  }

  /** All that is left, as numbers of 32 bits. */
  uint32s(): readonly number[] {
    const numbers: number[] = [];
    while (!this.isAtEnd) numbers.push(this.uint32());
    return numbers;
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

const refusalNames = Object.keys(refusalCodes) as RefusalCode[];
const refusalByNumber = new Map(refusalNames.map((name) => [-refusalCodes[name], name]));

/** What the scripts write as `REFUSED.seat_taken`: the protocol's number of that refusal, negative. */
export const refusalConstants: ReadonlyMap<string, number> = new Map(
  refusalNames.map((name) => [name.replaceAll('-', '_'), -refusalCodes[name]]),
);

/** The refusal that a script means by a number. */
export function refusalNamed(number: number): RefusalCode {
  const code = refusalByNumber.get(number);
  if (!code) throw new Error(`a script refused with ${number}, which is no refusal of the protocol`);
  return code;
}

/** Reads what a script decided: `{0, value}`, or `{refusal number, seats in the way, detail, retry after ms}`, the last
 * where there is such a time. */
export function outcomeOf<T>(answer: unknown, decode: (value: unknown) => T): Outcome<T> {
  const [number, value, detail, retryAfterMs = 0] = listOf(answer);
  if (number === 0) return done(decode(value));
  return refuse(refusalNamed(numberOf(number)), {
    seats: numbersOf(value),
    detail: textOf(detail),
    retryAfterMs: numberOf(retryAfterMs),
  });
}
