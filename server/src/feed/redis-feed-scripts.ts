import { defineScript } from '../platform/lua-script.ts';
import type { FeedBase } from './show-feed.ts';
import { listOf, numberOf, PackingError } from '../platform/redis-packing.ts';

const UINT32_BYTES = 4;

/** A part of a show's history, as `lua/read-history.lua` answers. */
export interface HistoryPart {
  readonly epoch: number;
  /** Number of the entry that the base, or the follower, has; `entries` follow it without a gap. */
  readonly number: number;
  readonly base: HistoryBase | null;
  /** Packed. */
  readonly entries: readonly unknown[];
}

export type HistoryBase = Pick<FeedBase, 'statuses' | 'sequences'>;

const lua = (name: string): URL => new URL(`lua/${name}.lua`, import.meta.url);

export const readHistory = defineScript<[knownEpoch: number, knownNumber: number, random: number]>()({
  file: lua('read-history'),
  keys: ['meta', 'seats', 'feed', 'checkpoint'],
  reply: (raw): HistoryPart | null => {
    if (raw === null) return null;
    const [epoch, number, base, ...entries] = listOf(raw);
    return {
      epoch: numberOf(epoch),
      number: numberOf(number),
      base: base === null ? null : baseOf(base),
      entries,
    };
  },
});

export const writeCheckpoint = defineScript<
  [epoch: number, number: number, statuses: Uint8Array, sequences: Uint8Array, kept: number]
>()({
  file: lua('write-checkpoint'),
  keys: ['meta', 'feed', 'checkpoint'],
  reply: (raw) => (raw === null ? null : numberOf(raw)),
});

export function sequenceBytes(sequences: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(sequences.length * UINT32_BYTES);
  sequences.forEach((sequence, index) => bytes.writeUInt32LE(sequence, index * UINT32_BYTES));
  return bytes;
}

function baseOf(value: unknown): HistoryBase {
  const [statuses, sequences] = listOf(value).map(bytesOf);
  if (!statuses || !sequences) throw new PackingError('a base', value);
  return {
    statuses: Uint8Array.from(statuses),
    sequences: Array.from({ length: sequences.length / UINT32_BYTES }, (_, index) =>
      sequences.readUInt32LE(index * UINT32_BYTES),
    ),
  };
}

function bytesOf(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw new PackingError('bytes', value);
  return value;
}
