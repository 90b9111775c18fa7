import type { ClientMessageOf, ServerMessageOf } from '../protocol/messages.ts';
import type { SeatChange } from '../seat-map/section-delta.ts';
import { applyDelta, fromSnapshot, type SectionState } from '../seat-map/section-feed.ts';

/** What became of a snapshot or delta; `changes` null: the whole section is new. */
export type FeedOutcome =
  | { readonly kind: 'applied'; readonly changes: readonly SeatChange[] | null }
  | { readonly kind: 'ignored' }
  /** Only a snapshot helps: watch again. */
  | { readonly kind: 'gap' }
  /** The bytes don't fit the layout: the server and we don't talk of the same show. */
  | { readonly kind: 'broken' };

const IGNORED: FeedOutcome = { kind: 'ignored' };

/**
 * The sections a buyer looks at, each as it was after exactly the changes `1…sequence` of its epoch [P5]. A section
 * that missed something keeps its last state, unchanged, until a snapshot replaces it.
 */
export class WatchedSections {
  readonly #states = new Map<number, SectionState>();
  readonly #needSnapshot = new Set<number>();
  readonly #acknowledged = new Map<number, number>();
  #seatCounts: readonly number[] = [];
  #watched: readonly number[] = [];

  get states(): ReadonlyMap<number, SectionState> {
    return this.#states;
  }

  get watched(): readonly number[] {
    return this.#watched;
  }

  get sectionCount(): number {
    return this.#seatCounts.length;
  }

  /** Whether each watched section has data and no section waits for a snapshot. */
  get complete(): boolean {
    return this.#needSnapshot.size === 0 && this.#watched.every((section) => this.#states.has(section));
  }

  /** Begins with a show: nothing is watched, and nothing is known. */
  begin(seatCounts: readonly number[]): void {
    this.#seatCounts = seatCounts;
    this.replace([]);
  }

  /** Replaces what is watched; what is known of sections still watched stays. */
  replace(sections: readonly number[]): void {
    this.#watched = [...new Set(sections)];
    for (const section of this.#states.keys()) if (!this.#watched.includes(section)) this.#forget(section);
    for (const section of this.#needSnapshot) {
      if (!this.#watched.includes(section)) this.#needSnapshot.delete(section);
    }
  }

  /** History was lost: nothing known of another epoch can be continued. */
  enterEpoch(epoch: number): void {
    for (const [section, state] of this.#states) if (state.epoch !== epoch) this.#forget(section);
  }

  /** What a `watch` asks for: to continue where each section stands, or a snapshot (epoch 0). */
  positions(): ClientMessageOf<'watch'>['sections'] {
    return this.#watched.map((section) => {
      const state = this.#needSnapshot.has(section) ? undefined : this.#states.get(section);
      return { section, epoch: state?.epoch ?? 0, sequence: state?.sequence ?? 0 };
    });
  }

  applySnapshot(snapshot: ServerMessageOf<'snapshot'>): FeedOutcome {
    const { section, statuses } = snapshot;
    const seatCount = this.#seatCounts[section];
    if (seatCount === undefined) return { kind: 'broken' };
    if (!this.#watched.includes(section)) return IGNORED;
    const state = fromSnapshot(snapshot, statuses, seatCount);
    if (!state) return { kind: 'broken' };
    this.enterEpoch(snapshot.epoch);
    this.#states.set(section, state);
    this.#needSnapshot.delete(section);
    this.#acknowledged.delete(section);
    return { kind: 'applied', changes: null };
  }

  applyDelta({ section, sequence, changes }: ServerMessageOf<'delta'>): FeedOutcome {
    if (!this.#watched.includes(section) || this.#needSnapshot.has(section)) return IGNORED;
    const state = this.#states.get(section);
    const outcome = state ? applyDelta(state, sequence, changes) : ({ kind: 'gap' } as const);
    if (outcome.kind === 'repeated') return IGNORED;
    if (outcome.kind === 'gap') {
      this.#needSnapshot.add(section);
      return outcome;
    }
    this.#states.set(section, outcome.state);
    return { kind: 'applied', changes: outcome.changes };
  }

  /** What was applied since the last acknowledgement; null if nothing was. */
  acknowledge(): ClientMessageOf<'acknowledge'> | null {
    const sections: { section: number; sequence: number }[] = [];
    for (const [section, { sequence }] of this.#states) {
      if (this.#acknowledged.get(section) === sequence) continue;
      this.#acknowledged.set(section, sequence);
      sections.push({ section, sequence });
    }
    return sections.length > 0 ? { type: 'acknowledge', sections } : null;
  }

  /** Another socket has heard no acknowledgement yet. */
  dropped(): void {
    this.#acknowledged.clear();
  }

  #forget(section: number): void {
    this.#states.delete(section);
    this.#needSnapshot.delete(section);
    this.#acknowledged.delete(section);
  }
}
