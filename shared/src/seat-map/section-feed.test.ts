import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeSectionDelta, encodeSectionDelta, type SeatChange } from './section-delta.ts';
import { applyDelta, fromSnapshot, type SectionState } from './section-feed.ts';
import { packStatuses, type SeatStatus } from './seat-status.ts';

const SEATS = 12;

const change: fc.Arbitrary<SeatChange> = fc.record({
  seat: fc.nat(SEATS - 1),
  status: fc.constantFrom<SeatStatus[]>(0, 1, 2, 3),
});
const history = fc.array(change, { maxLength: 40 });

function truthAt(changes: readonly SeatChange[], sequence: number): Uint8Array {
  const statuses = new Uint8Array(SEATS);
  for (const { seat, status } of changes.slice(0, sequence)) statuses[seat] = status;
  return statuses;
}

function snapshotAt(changes: readonly SeatChange[], sequence: number): SectionState {
  const state = fromSnapshot({ epoch: 1, sequence }, packStatuses(truthAt(changes, sequence)), SEATS);
  if (!state) throw new Error('a snapshot of our own fits');
  return state;
}

describe('section delta', () => {
  test('5.4 changes survive packing; those of one seat keep their order', () => {
    fc.assert(
      fc.property(history, (changes) => {
        const sorted = changes.toSorted((a, b) => a.seat - b.seat);
        expect(decodeSectionDelta(encodeSectionDelta(changes), SEATS)).toEqual(sorted);
      }),
    );
  });

  test('5.4 a seat that the section does not have is not read', () => {
    const packed = encodeSectionDelta([{ seat: SEATS, status: 1 }]);
    expect(decodeSectionDelta(packed, SEATS)).toBeNull();
  });

  test('[P7] random bytes are read within bounds or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const { seat } of decodeSectionDelta(bytes, SEATS) ?? []) expect(seat).toBeLessThan(SEATS);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('section feed', () => {
  test('[P5] deltas in a row, however cut, lead to the truth', () => {
    fc.assert(
      fc.property(history, fc.array(fc.integer({ min: 1, max: 9 })), (changes, sizes) => {
        let state = snapshotAt(changes, 0);
        for (const size of [...sizes, changes.length]) {
          const end = Math.min(changes.length, state.sequence + size);
          const outcome = applyDelta(state, end, encodeSectionDelta(changes.slice(state.sequence, end)));
          if (outcome.kind === 'applied') state = outcome.state;
        }
        expect(state.sequence).toBe(changes.length);
        expect(state.statuses).toEqual(truthAt(changes, changes.length));
      }),
    );
  });

  test('[P5] a delta applies exactly where it leaves no gap, also if it overlaps what is known', () => {
    fc.assert(
      fc.property(history, fc.nat(), fc.nat(), fc.nat(), (changes, a, b, c) => {
        const at = a % (changes.length + 1);
        const from = b % (changes.length + 1);
        const end = from + (c % (changes.length - from + 1));
        const outcome = applyDelta(
          snapshotAt(changes, at),
          end,
          encodeSectionDelta(changes.slice(from, end)),
        );
        if (end <= at) expect(outcome.kind).toBe('repeated');
        else if (from > at) expect(outcome.kind).toBe('gap');
        else
          expect(outcome).toMatchObject({
            kind: 'applied',
            state: { sequence: end, statuses: truthAt(changes, end) },
          });
      }),
      { numRuns: 1_000 },
    );
  });

  test('[P5] a delta that cannot be read is a gap and changes nothing', () => {
    const state = snapshotAt([{ seat: 3, status: 2 }], 1);
    expect(applyDelta(state, 2, Uint8Array.of(0xff)).kind).toBe('gap');
    expect(applyDelta(state, 2, encodeSectionDelta([{ seat: SEATS, status: 1 }])).kind).toBe('gap');
    expect(state.statuses).toEqual(truthAt([{ seat: 3, status: 2 }], 1));
  });

  test('5.3 a snapshot of another section is not taken', () => {
    expect(fromSnapshot({ epoch: 1, sequence: 0 }, new Uint8Array(2), SEATS)).toBeNull();
  });
});
