import type { SeatStatus } from './seat-status.ts';
import { VarintReader, VarintWriter } from './varint.ts';

/** A seat's new status; `seat` counts from the start of its section. */
export interface SeatChange {
  readonly seat: number;
  readonly status: SeatStatus;
}

const STATUS_BITS = 2;
const STATUS_MASK = 0b11;

/**
 * Packs changes of one section as varints `(gap << 2) | status`, sorted by seat, where `gap` is the distance to
 * the seat before (rule 5.4). The sort is stable, so that two changes of one seat keep their order: a section's
 * sequence counts changes, and every one of them travels [P5].
 */
export function encodeSectionDelta(changes: readonly SeatChange[]): Uint8Array {
  const sorted = changes.length > 1 ? changes.toSorted((a, b) => a.seat - b.seat) : changes;
  const writer = new VarintWriter();
  let before = 0;
  for (const { seat, status } of sorted) {
    writer.write(((seat - before) << STATUS_BITS) | status);
    before = seat;
  }
  return writer.finish();
}

/** Reads a packed delta; null if it is broken or names a seat outside `0…seatCount − 1`. */
export function decodeSectionDelta(packed: Uint8Array, seatCount: number): SeatChange[] | null {
  const reader = new VarintReader(packed);
  const changes: SeatChange[] = [];
  let seat = 0;
  while (!reader.done) {
    const word = reader.read();
    seat += word >>> STATUS_BITS;
    if (seat >= seatCount) return null;
    // Two bits hold exactly the four statuses.
    changes.push({ seat, status: (word & STATUS_MASK) as SeatStatus });
  }
  return reader.broken ? null : changes;
}
