import { beforeEach, describe, expect, test } from 'vitest';
import { AVAILABLE, HELD, type SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import { applyDelta, fromSnapshot, type SectionState } from '@stampede/shared/seat-map/section-feed.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { type HeardWire, openLiveSale, SECTION_SEATS } from '../../test/integration/app-stand-sale.ts';
import { SectionWatch } from './section-watch.ts';

let house: Awaited<ReturnType<typeof openLiveSale>>;
let wire: HeardWire;
let watch: SectionWatch;
beforeEach(async () => {
  house = await openLiveSale();
  wire = house.newWire();
  watch = new SectionWatch(house.sale, wire);
});

const from = (section: number, sequence = 0, epoch = sequence === 0 ? 0 : 7) => ({
  section,
  epoch,
  sequence,
});
const change = (seat: number, status: SeatStatus): void =>
  house.sale.onEntries([{ changes: [{ seat, status }], notice: null }]);

describe('watching sections', () => {
  test('5.3 a section that is new gets a snapshot, one at a known position the deltas after it, one that is current nothing', () => {
    change(1, HELD);
    change(2, HELD);
    watch.set([from(0), from(1)], 1);
    expect(wire.of('snapshot')).toMatchObject([
      { section: 0, sequence: 2 },
      { section: 1, sequence: 0 },
    ]);
    watch.set([from(0, 1)], 2);
    expect(wire.of('delta')).toMatchObject([{ section: 0, sequence: 2 }]);
    watch.set([from(0, 2)], 3);
    expect(wire.heard).toHaveLength(3);
  });

  test('5.3 another epoch, a position of the future: a snapshot', () => {
    watch.set([from(0, 1, 6)], 1);
    watch.set([from(0, 5)], 2);
    expect(wire.of('snapshot')).toHaveLength(2);
  });

  test('7.9 an unknown section is refused, and what was watched still is', () => {
    watch.set([from(0)], 1);
    expect(watch.set([from(1), from(2)], 2)).toMatchObject({ ok: false, code: 'section-unknown' });
    expect([...wire.topics]).toEqual(['show/1/section/0']);
  });

  test('5.3 a section that is watched no longer is not told', () => {
    watch.set([from(0), from(1)], 1);
    watch.set([from(1)], 2);
    change(0, HELD);
    house.clock.advance(1_000);
    expect(wire.of('delta')).toEqual([]);
    watch.clear();
    expect(wire.topics.size).toBe(0);
  });

  test('[P5] an acknowledgement behind what was sent before the last one brings a snapshot, once', () => {
    watch.set([from(0)], 1);
    change(3, HELD);
    house.clock.advance(1_000);
    watch.acknowledge([{ section: 0, sequence: 1 }]);
    change(4, HELD);
    house.clock.advance(1_000);
    // This one may have been on its way when the change was sent; the next one may not.
    watch.acknowledge([{ section: 0, sequence: 1 }]);
    expect(wire.of('snapshot')).toHaveLength(1);
    watch.acknowledge([{ section: 0, sequence: 1 }]);
    expect(wire.of('snapshot')).toHaveLength(2);
    watch.acknowledge([
      { section: 0, sequence: 2 },
      { section: 1, sequence: 9 },
    ]);
    expect(wire.of('snapshot')).toHaveLength(2);
  });

  test('[P5] whoever comes in the middle of a tick, at any position, shows what the board has', () => {
    const random = seededRandom(3);
    const below = (count: number): number => Math.floor(random() * count);
    const watchers = Array.from({ length: 8 }, () => {
      const own = house.newWire();
      return { own, watch: new SectionWatch(house.sale, own), state: null as SectionState | null, read: 0 };
    });
    for (let step = 0; step < 2_000; step++) {
      change(below(20), random() < 0.5 ? HELD : AVAILABLE);
      if (random() < 0.2) house.clock.advance(below(120));
      const watcher = watchers[below(watchers.length)]!;
      if (random() < 0.1) {
        readAll(watcher);
        const { epoch = 0, sequence = 0 } = watcher.state ?? {};
        watcher.watch.set([{ section: 0, epoch, sequence }], 1);
      }
    }
    house.clock.advance(1_000);
    const { packed, ...position } = house.sale.board.snapshot(0);
    const truth = fromSnapshot(position, packed, SECTION_SEATS[0] ?? 0);
    for (const watcher of watchers) {
      watcher.watch.set(
        [{ section: 0, epoch: watcher.state?.epoch ?? 0, sequence: watcher.state?.sequence ?? 0 }],
        2,
      );
      readAll(watcher);
      expect(watcher.state).toEqual(truth);
    }
  });
});

/** Reads like a client: a gap would be an error here, because nothing was lost. */
function readAll(watcher: { own: HeardWire; state: SectionState | null; read: number }): void {
  for (const message of watcher.own.heard.slice(watcher.read)) {
    if (message.type === 'snapshot')
      watcher.state = fromSnapshot(message, message.statuses, SECTION_SEATS[0] ?? 0);
    if (message.type !== 'delta' || !watcher.state) continue;
    const outcome = applyDelta(watcher.state, message.sequence, message.changes);
    if (outcome.kind === 'gap') throw new Error('a watcher missed a change');
    if (outcome.kind === 'applied') watcher.state = outcome.state;
  }
  watcher.read = watcher.own.heard.length;
}
