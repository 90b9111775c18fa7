import { inspect } from 'node:util';
import { Packr, Unpackr } from 'msgpackr';

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
  if (!Buffer.isBuffer(bytes)) throw new PackingError('bytes', bytes);
  return unpackr.unpack(bytes) as unknown;
}

/** Redis holds something that no version of ours wrote. */
export class PackingError extends Error {
  override readonly name = 'PackingError';

  constructor(expected: string, found: unknown) {
    super(`Redis answered with ${inspect(found, { depth: 1, maxStringLength: 80 })}, not with ${expected}`);
  }
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
