import { setTimeout as pause } from 'node:timers/promises';
import { serverMessages } from '@stampede/shared/protocol/messages.ts';
import type { ListenResult } from './driver-calls.ts';

/**
 * Reads the fields of a server's frame where they lie, without unpacking it: at hundreds of thousands of messages a
 * second, an object for each would be most of what is measured. A frame is the MessagePack array `[opcode, …fields]`.
 */
const OPCODE_AT = 1;
const FIELDS_AT = 2;
const FIXINT_MAX = 0x7f;

/** Numbers as MessagePack has them: bytes after the first, and how they are read. */
const KINDS: Readonly<Record<number, readonly [bytes: number, read: (bytes: Buffer, at: number) => number]>> =
  {
    0xcb: [8, (bytes, at) => bytes.readDoubleBE(at)],
    0xcc: [1, (bytes, at) => bytes.readUInt8(at)],
    0xcd: [2, (bytes, at) => bytes.readUInt16BE(at)],
    0xce: [4, (bytes, at) => bytes.readUInt32BE(at)],
    0xcf: [8, (bytes, at) => Number(bytes.readBigUInt64BE(at))],
  };

/** The opcode of the frame whose payload begins at `start`. */
export const opcodeAt = (bytes: Buffer, start: number): number => bytes[start + OPCODE_AT] ?? 0;

/** Where the first field begins. */
export const firstField = (start: number): number => start + FIELDS_AT;

function kindAt(bytes: Buffer, at: number) {
  const kind = KINDS[bytes[at] ?? 0];
  if (kind) return kind;
  throw new RangeError(`no number at ${at}: ${(bytes[at] ?? 0).toString(16)}`);
}

/** Where the field after a number begins. */
export function afterNumber(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) <= FIXINT_MAX ? at + 1 : at + 1 + kindAt(bytes, at)[0];
}

/** A whole number at `at`. */
export function numberAt(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  return first <= FIXINT_MAX ? first : kindAt(bytes, at)[1](bytes, at + 1);
}

const MS_PER_SECOND = 1_000;
/** Bytes of a varint but the last have it. */
const MORE = 0x80;
const BIN8 = 0xc4;

/**
 * Counts what arrives. Every socket watches one section, so that a section's sequence, which counts its changes, tells
 * how many were delivered; the changes themselves are counted on one socket, which shows that none is missing.
 */
export class Listening {
  readonly #first: Float64Array;
  readonly #last: Float64Array;
  #frames = 0;
  #gaps = 0;
  readonly #sample: string[] = [];

  constructor(sockets: number) {
    this.#first = new Float64Array(sockets).fill(-1);
    this.#last = new Float64Array(sockets).fill(-1);
  }

  async run(ms: number): Promise<ListenResult> {
    const startedAt = performance.now();
    await pause(ms);
    const seconds = (performance.now() - startedAt) / MS_PER_SECOND;
    let changes = 0;
    this.#last.forEach((last, socket) => (changes += last - (this.#first[socket] ?? last)));
    return { seconds, frames: this.#frames, changes, gaps: this.#gaps, sample: this.#sample };
  }

  message(socket: number, bytes: Buffer, start: number, end: number): void {
    if (opcodeAt(bytes, start) !== serverMessages.delta.opcode) return;
    const sequenceAt = afterNumber(bytes, firstField(start));
    const sequence = numberAt(bytes, sequenceAt);
    const before = this.#last[socket] ?? -1;
    this.#last[socket] = sequence;
    this.#frames += 1;
    if (socket !== 0 && before >= 0) return;
    const changes = changesIn(bytes, afterNumber(bytes, sequenceAt), end);
    if (before < 0) this.#first[socket] = sequence - changes;
    else if (sequence !== before + changes) this.#gaps += 1;
    if (socket === 0) this.#sample.push(bytes.toString('base64', start, end));
  }

  closed(): void {
    // Who is gone hears nothing more, which shows in the figures.
  }
}

/** Changes in a packed delta: varints, each with one byte that no other follows. */
function changesIn(bytes: Buffer, at: number, end: number): number {
  const headerBytes = bytes[at] === BIN8 ? 2 : 3;
  let count = 0;
  for (let index = at + headerBytes; index < end; index++) if ((bytes[index] ?? 0) < MORE) count += 1;
  return count;
}
