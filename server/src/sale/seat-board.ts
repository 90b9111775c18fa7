import type { FeedPosition } from '@stampede/shared/seat-map/section-feed.ts';
import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import type { SeatChange as SectionChange } from '@stampede/shared/seat-map/section-delta.ts';
import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import {
  AVAILABLE,
  BLOCKED,
  packStatuses,
  type SeatStatusName,
  seatStatusNumbers,
  SOLD,
} from '@stampede/shared/seat-map/seat-status.ts';
import type { FeedBase, SeatChange } from '../feed/show-feed.ts';

/** Changes of a section kept for clients that come back; older ones get a snapshot. */
const CHANGES_KEPT_MAX = 1_024;

/** Changes of one section; `sequence` is where they end. Seats count from the start of the section. */
export interface SectionChanges {
  readonly section: number;
  readonly sequence: number;
  readonly changes: readonly SectionChange[];
}

interface BoardSection {
  sequence: number;
  /** The last changes up to `sequence`, oldest first. */
  recent: SectionChange[];
  /** How many of `recent` have not been broadcast. */
  unsent: number;
  /** Free seats by price level. */
  readonly free: Uint32Array;
  freeTotal: number;
  summaryChanged: boolean;
  /** Packed statuses until the next change. */
  packed: Uint8Array | null;
}

/**
 * What this node knows of a show's seats: the feed, applied. Snapshots, resumes and broadcasts are answered from
 * here, so that any number of watchers costs the store nothing. A section's sequence counts its seat changes in
 * this epoch, which makes it equal on every node that reads the same feed [P5].
 */
export class SeatBoard {
  readonly #map: SeatMap;
  readonly #priceLevels: number;
  #statuses: Uint8Array;
  #sections: BoardSection[] = [];
  #dirty = new Set<number>();
  #epoch = 0;
  #freeSeats = 0;
  /** Seats that are neither sold nor blocked. */
  #unsold = 0;

  constructor(map: SeatMap, priceLevels: number) {
    this.#map = map;
    this.#priceLevels = priceLevels;
    this.#statuses = new Uint8Array(map.seatCount);
  }

  get epoch(): number {
    return this.#epoch;
  }

  get freeSeats(): number {
    return this.#freeSeats;
  }

  /** Seats that can still be bought, held ones too. */
  get unsold(): number {
    return this.#unsold;
  }

  get soldOut(): boolean {
    return this.#unsold === 0;
  }

  get sectionCount(): number {
    return this.#map.sections.length;
  }

  /** Starts from a base of the feed, which is the board's from now on; whatever was known before is forgotten. */
  reset(base: FeedBase): void {
    this.#epoch = base.epoch;
    this.#statuses = base.statuses;
    this.#dirty = new Set();
    this.#freeSeats = 0;
    this.#unsold = 0;
    this.#sections = this.#map.sections.map(({ index }) => ({
      sequence: base.sequences[index] ?? 0,
      recent: [],
      unsent: 0,
      free: new Uint32Array(this.#priceLevels),
      freeTotal: 0,
      summaryChanged: true,
      packed: null,
    }));
    for (let seat = 0; seat < this.#statuses.length; seat++) {
      const status = this.#statuses[seat];
      if (status === AVAILABLE) this.#countFree(seat, 1);
      if (status !== SOLD && status !== BLOCKED) this.#unsold += 1;
    }
  }

  /** What the feed has said so far. */
  base(): FeedBase {
    const sequences = this.#sections.map(({ sequence }) => sequence);
    return { epoch: this.#epoch, statuses: this.#statuses.slice(), sequences };
  }

  /** Applies changes of the feed, in order. */
  apply(changes: readonly SeatChange[]): void {
    for (const { seat, status } of changes) {
      const index = this.#map.sectionOf[seat] ?? -1;
      const section = this.#section(index);
      const before = this.#statuses[seat];
      this.#statuses[seat] = status;
      if (before === AVAILABLE) this.#countFree(seat, -1);
      if (status === AVAILABLE) this.#countFree(seat, 1);
      this.#unsold += Number(isUnsold(status)) - Number(isUnsold(before));
      section.sequence += 1;
      section.unsent += 1;
      section.packed = null;
      section.recent.push({ seat: seat - (this.#map.sections[index]?.start ?? 0), status });
      this.#dirty.add(index);
    }
  }

  /** A section's packed statuses and where in its history they stand. The bytes are shared: don't change them. */
  snapshot(index: number): FeedPosition & { readonly packed: Uint8Array } {
    const section = this.#section(index);
    const { start = 0, seatCount = 0 } = this.#map.sections[index] ?? {};
    section.packed ??= packStatuses(this.#statuses.subarray(start, start + seatCount));
    return { epoch: this.#epoch, sequence: section.sequence, packed: section.packed };
  }

  sequence(index: number): number {
    return this.#section(index).sequence;
  }

  /** The changes after a position; null when they are not known any more, or never were, and a snapshot is due. */
  since(index: number, position: FeedPosition): SectionChanges | null {
    const section = this.#section(index);
    const missing = section.sequence - position.sequence;
    if (position.epoch !== this.#epoch || missing < 0 || missing > section.recent.length) return null;
    const changes = missing === 0 ? [] : section.recent.slice(-missing);
    return { section: index, sequence: section.sequence, changes };
  }

  get hasUnsent(): boolean {
    return this.#dirty.size > 0;
  }

  /** What happened since the last call, a record per section; to be broadcast now. */
  takeUnsent(): SectionChanges[] {
    const sections = [...this.#dirty].map((index) => this.takeUnsentOf(index));
    return sections.filter((one) => one !== null);
  }

  /** The same for one section: before somebody gets a snapshot, everybody gets the deltas it contains. */
  takeUnsentOf(index: number): SectionChanges | null {
    const section = this.#section(index);
    if (!this.#dirty.delete(index)) return null;
    const changes = section.recent.slice(-section.unsent);
    section.unsent = 0;
    section.summaryChanged = true;
    // Cut only now and then, so that keeping history costs a change a constant time.
    if (section.recent.length > 2 * CHANGES_KEPT_MAX)
      section.recent = section.recent.slice(-CHANGES_KEPT_MAX);
    return { section: index, sequence: section.sequence, changes };
  }

  /** Seats by status; looks at every one of them. */
  countByStatus(): Readonly<Record<SeatStatusName, number>> {
    const counts = new Uint32Array(Object.keys(seatStatusNumbers).length);
    for (const status of this.#statuses) counts[status] = (counts[status] ?? 0) + 1;
    const count = (name: SeatStatusName): number => counts[seatStatusNumbers[name]] ?? 0;
    return {
      available: count('available'),
      held: count('held'),
      sold: count('sold'),
      blocked: count('blocked'),
    };
  }

  /** Every section's summary. */
  summaries(): SectionSummary[] {
    return this.#sections.map((_, index) => this.#summary(index));
  }

  summariesOf(sections: readonly number[]): SectionSummary[] {
    return sections.map((section) => this.#summary(section));
  }

  /** Sections whose summaries may have changed since the last call. */
  takeChangedSummaries(): number[] {
    const changed: number[] = [];
    this.#sections.forEach((section, index) => {
      if (!section.summaryChanged) return;
      section.summaryChanged = false;
      changed.push(index);
    });
    return changed;
  }

  #summary(index: number): SectionSummary {
    const { free, freeTotal } = this.#section(index);
    // Levels are listed from the dearest to the cheapest.
    const cheapest = free.findLastIndex((count) => count > 0);
    return { section: index, free: freeTotal, cheapest: cheapest < 0 ? null : cheapest };
  }

  #countFree(seat: number, step: 1 | -1): void {
    const section = this.#section(this.#map.sectionOf[seat] ?? -1);
    const level = this.#map.priceLevel[seat] ?? 0;
    section.free[level] = (section.free[level] ?? 0) + step;
    section.freeTotal += step;
    this.#freeSeats += step;
  }

  #section(index: number): BoardSection {
    const section = this.#sections[index];
    if (!section) throw new RangeError(`no section ${index}`);
    return section;
  }
}

function isUnsold(status: number | undefined): boolean {
  return status !== SOLD && status !== BLOCKED;
}
