import { setTimeout as pause } from 'node:timers/promises';
import { serverMessages } from '@stampede/shared/protocol/messages.ts';
import type { ListenResult } from './driver-calls.ts';
import { afterNumber, firstField, numberAt, opcodeAt } from './packed-fields.ts';

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
