import { applyDelta, fromSnapshot, type SectionState } from '@stampede/shared/seat-map/section-feed.ts';
import { encodeSectionDelta } from '@stampede/shared/seat-map/section-delta.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeatBoard } from './seat-board.ts';
import type { SeatChange } from '../feed/show-feed.ts';

const SEATS = 12;

function block(priceLevel: number, y: number) {
  const arc = { from: [0, y], to: [3, y], bend: 0 } as const;
  return { priceLevel, rows: 1, firstRow: 'A', seats: [4, 4], front: arc, back: arc } as const;
}

/** Three sections of four seats; the last has the cheap level. */
const layout: VenueLayout = {
  id: 'box',
  name: 'Box',
  city: 'Vienna',
  width: 10,
  height: 10,
  landmarks: [],
  priceLevels: ['Dear', 'Cheap'],
  sections: [0, 1, 2].map((index) => ({
    name: `Block ${index}`,
    tier: 'Floor',
    blocks: [block(index === 2 ? 1 : 0, index)],
  })),
};
const map = seatMapOf(layout);

function boardOf(statuses = new Uint8Array(SEATS)): SeatBoard {
  const board = new SeatBoard(map, 2);
  board.reset({ epoch: 7, statuses, sequences: [0, 0, 0] });
  return board;
}

const change = fc.record({
  seat: fc.integer({ min: 0, max: SEATS - 1 }),
  status: fc.constantFrom<SeatStatus>(0, 1, 2, 3),
});

describe('seat board', () => {
  test('[P5] whoever starts from a snapshot and applies every later broadcast shows the feed, at its sequence', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('changes' as const), changes: fc.array(change, { maxLength: 6 }) }),
        fc.record({ kind: fc.constant('tick' as const) }),
        fc.record({ kind: fc.constant('watch' as const), section: fc.integer({ min: 0, max: 2 }) }),
      ),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const board = boardOf();
        const truth = new Uint8Array(SEATS);
        const clients = new Map<number, SectionState[]>();
        const broadcast = (section: number, sequence: number, changes: readonly SeatChange[]) => {
          const packed = encodeSectionDelta(changes);
          const next = (clients.get(section) ?? []).map((state) => {
            const outcome = applyDelta(state, sequence, packed);
            expect(outcome.kind).toBe('applied');
            return outcome.kind === 'applied' ? outcome.state : state;
          });
          clients.set(section, next);
        };
        for (const step of all) {
          if (step.kind === 'changes') {
            board.apply(step.changes);
            for (const { seat, status } of step.changes) truth[seat] = status;
          } else if (step.kind === 'tick') {
            for (const one of board.takeUnsent()) broadcast(one.section, one.sequence, one.changes);
          } else {
            const flushed = board.takeUnsentOf(step.section);
            if (flushed) broadcast(flushed.section, flushed.sequence, flushed.changes);
            const { packed, ...position } = board.snapshot(step.section);
            const state = fromSnapshot(position, packed, 4);
            clients.set(step.section, [...(clients.get(step.section) ?? []), state!]);
          }
        }
        for (const one of board.takeUnsent()) broadcast(one.section, one.sequence, one.changes);
        for (const [section, states] of clients) {
          for (const state of states) {
            expect(state.sequence).toBe(board.sequence(section));
            expect([...state.statuses]).toEqual([...truth.subarray(section * 4, section * 4 + 4)]);
          }
        }
      }),
    );
  });

  test('[P5] a client that comes back gets exactly the changes it missed, or is told to start anew', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.nat(40), (changes, cut) => {
        const board = boardOf();
        board.apply(changes.slice(0, cut));
        const { packed, ...position } = board.snapshot(1);
        const state = fromSnapshot(position, packed, 4)!;
        board.apply(changes.slice(cut));
        const missed = board.since(1, position)!;
        if (missed.changes.length > 0) applyDelta(state, missed.sequence, encodeSectionDelta(missed.changes));
        expect([...state.statuses]).toEqual([
          ...fromSnapshot(position, board.snapshot(1).packed, 4)!.statuses,
        ]);
      }),
    );
  });

  test('[P5] another epoch, a future sequence or one too far back is no position to resume from', () => {
    const board = boardOf();
    board.apply(
      Array.from({ length: 3_000 }, (_, index) => ({ seat: 0, status: (index % 2) as SeatStatus })),
    );
    board.takeUnsent();
    expect(board.since(0, { epoch: 8, sequence: 3_000 })).toBeNull();
    expect(board.since(0, { epoch: 7, sequence: 3_001 })).toBeNull();
    expect(board.since(0, { epoch: 7, sequence: 10 })).toBeNull();
    expect(board.since(0, { epoch: 7, sequence: 2_990 })?.changes).toHaveLength(10);
  });

  test('summaries count free seats and name the cheapest level that is left', () => {
    const board = boardOf();
    board.takeChangedSummaries();
    board.apply([4, 5, 6, 7, 8].map((seat) => ({ seat, status: 2 })));
    board.takeUnsent();
    expect(board.summariesOf(board.takeChangedSummaries())).toEqual([
      { section: 1, free: 0, cheapest: null },
      { section: 2, free: 3, cheapest: 1 },
    ]);
    expect(board.freeSeats).toBe(7);
    expect(board.takeChangedSummaries()).toEqual([]);
  });

  test('sold out means that every seat is sold or blocked: a held one may come back', () => {
    const board = boardOf(new Uint8Array(SEATS).fill(2));
    expect(board.soldOut).toBe(true);
    board.apply([{ seat: 3, status: 1 }]);
    expect(board.soldOut).toBe(false);
    board.apply([{ seat: 3, status: 3 }]);
    expect(board.soldOut).toBe(true);
  });
});
