import { seededRandom } from '@stampede/shared/platform/random.ts';
import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import { HELD } from '@stampede/shared/seat-map/seat-status.ts';
import { encodeSectionDelta, type SeatChange } from '@stampede/shared/seat-map/section-delta.ts';
import type { Benchmark, Findings } from '../benchmark.ts';
import { installedVersion } from '../surroundings.ts';

const ALONE_MAX = 12;
const TOGETHER = 32;
const TOGETHER_MAX = 4;
/** A section of a stadium. */
const SEATS_PER_SECTION = 1_000;
const SECTION = 42;
/** Deltas are made with a sequence of a sale that has gone on for a while. */
const SEQUENCE = 12_345;
const SAMPLES = 1_000;
/** Payloads from here on take two bytes more for their length in a WebSocket's frame. */
const SHORT_PAYLOAD_MAX = 125;
const HEADER_BYTES = 2;
const LONG_HEADER_BYTES = 4;

function framed(payload: number): number {
  return payload + (payload <= SHORT_PAYLOAD_MAX ? HEADER_BYTES : LONG_HEADER_BYTES);
}

/** Random seats of one section, each once. */
function someChanges(count: number, random: () => number): readonly SeatChange[] {
  const seats = new Set<number>();
  while (seats.size < count) seats.add(Math.floor(random() * SEATS_PER_SECTION));
  return [...seats].map((seat) => ({ seat, status: HELD }));
}

function ours(changes: readonly SeatChange[]): number {
  const packed = encodeSectionDelta(changes);
  const frame = { type: 'delta', section: SECTION, sequence: SEQUENCE, changes: packed } as const;
  return framed(encodeServerMessage(frame).length);
}

function json(changes: readonly SeatChange[]): number {
  const told = changes.map(({ seat }) => ({ seat, status: 'held' }));
  return framed(
    JSON.stringify({ type: 'delta', section: SECTION, sequence: SEQUENCE, changes: told }).length,
  );
}

/** Bytes a change, over many random frames of `count` changes. */
function average(count: number, bytesOf: (changes: readonly SeatChange[]) => number): number {
  const random = seededRandom(count);
  let bytes = 0;
  for (let sample = 0; sample < SAMPLES; sample++) bytes += bytesOf(someChanges(count, random));
  return bytes / (SAMPLES * count);
}

async function measure(): Promise<Findings> {
  const rows = [1, 4, 16, TOGETHER, 128].map((count) => [count, average(count, ours), average(count, json)]);
  const [alone, aloneJson] = [average(1, ours), average(1, json)];
  const together = average(TOGETHER, ours);
  return {
    unit: 'bytes a seat change, alone in its frame',
    runs: [{ value: alone, yardstick: aloneJson }],
    reached: alone <= ALONE_MAX && together <= TOGETHER_MAX,
    remarks: [
      `${together.toFixed(2)} bytes with ${TOGETHER} in a frame. Counted, not timed: one run says it all.`,
    ],
    tables: [
      {
        title: 'Bytes a seat change, WebSocket framing included',
        columns: ['changes in a frame', 'ours', 'JSON'],
        rows,
      },
    ],
    versions: [installedVersion('msgpackr')],
  };
}

export const bytes: Benchmark = {
  name: 'bytes',
  what: 'bytes of a seat change on the wire, framing included',
  against: 'JSON of the same',
  target: `≤ ${ALONE_MAX} alone, ≤ ${TOGETHER_MAX} at ${TOGETHER} a frame`,
  measure,
};
