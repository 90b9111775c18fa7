import { decodeSectionDelta, type SeatChange } from './section-delta.ts';
import { unpackStatuses } from './seat-status.ts';

/** A point in a section's history: which history, and how many changes of it have been applied. */
export interface FeedPosition {
  readonly epoch: number;
  readonly sequence: number;
}

/** A section as a client shows it: its statuses after exactly the changes `1…sequence` of `epoch` [P5]. */
export interface SectionState extends FeedPosition {
  readonly statuses: Uint8Array;
}

/** Starts a section from a snapshot; null if the bytes don't fit the section. */
export function fromSnapshot(
  position: FeedPosition,
  packed: Uint8Array,
  seatCount: number,
): SectionState | null {
  const statuses = unpackStatuses(packed, seatCount);
  return statuses && { epoch: position.epoch, sequence: position.sequence, statuses };
}

/** What became of a delta: applied, already known, or proof of a gap that only a snapshot mends. */
export type DeltaOutcome =
  | { readonly kind: 'applied'; readonly state: SectionState; readonly changes: readonly SeatChange[] }
  | { readonly kind: 'repeated' }
  | { readonly kind: 'gap' };

/**
 * Applies a delta of *k* changes that ends at `sequence`, *n*. It holds the changes *n − k + 1 … n*, so it fits a
 * state at *n − k* or later: a change that is applied again before those that followed it were leaves the same
 * statuses at *n*. That lets a resumed feed overlap what was still on its way. Statuses are changed in place: a
 * section has one owner.
 */
export function applyDelta(state: SectionState, sequence: number, packed: Uint8Array): DeltaOutcome {
  if (sequence <= state.sequence) return { kind: 'repeated' };
  const changes = decodeSectionDelta(packed, state.statuses.length);
  if (!changes || sequence - changes.length > state.sequence) return { kind: 'gap' };
  for (const { seat, status } of changes) state.statuses[seat] = status;
  return { kind: 'applied', state: { epoch: state.epoch, sequence, statuses: state.statuses }, changes };
}
