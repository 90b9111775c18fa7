import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { decodeServerFrame } from '@stampede/shared/protocol/codec.ts';
import { decodeSectionDelta } from '@stampede/shared/seat-map/section-delta.ts';
import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { decodeSummaries } from '@stampede/shared/seat-map/section-summary.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { showId } from '../platform/ids.ts';
import { SeatBoard } from './seat-board.ts';
import { SectionBroadcast, sectionTopic } from './section-broadcast.ts';

const show = showId(3);
const map: SeatMap = {
  seatCount: 8,
  sections: [0, 1].map((index) => ({
    index,
    name: `Block ${index}`,
    tier: 'Floor',
    start: index * 4,
    seatCount: 4,
    rows: [],
  })),
  x: new Float32Array(8),
  y: new Float32Array(8),
  priceLevel: new Uint8Array(8),
  sectionOf: Uint16Array.from([0, 0, 0, 0, 1, 1, 1, 1]),
};

describe('section broadcast', () => {
  let clock: ManualClock;
  let board: SeatBoard;
  let broadcast: SectionBroadcast;
  let published: { topic: string; at: number; frame: Uint8Array }[];
  let watchers: number;

  beforeEach(() => {
    clock = new ManualClock(1_000_000);
    board = new SeatBoard(map, 1);
    board.reset({ epoch: 1, statuses: new Uint8Array(8), sequences: [0, 0] });
    board.takeChangedSummaries();
    published = [];
    watchers = 1;
    const audience = {
      publish: (topic: string, frame: Uint8Array) =>
        published.push({ topic, at: clock.now() - 1_000_000, frame }),
      size: () => watchers,
    };
    broadcast = new SectionBroadcast(show, board, audience, clock);
  });

  function change(seat: number): void {
    board.apply([{ seat, status: 1 }]);
    broadcast.wake();
  }

  const isSummary = ({ topic }: { topic: string }) => broadcast.topics.includes(topic);
  const deltas = () => published.filter((one) => !isSummary(one));

  test('a clock that is set back holds up neither changes nor summaries', () => {
    change(0);
    clock.advance(2_000);
    clock.set(-3_600_000);
    const before = clock.now();
    published = [];
    change(1);
    clock.advance(1_500);
    expect(deltas()).toHaveLength(1);
    expect(published.filter(isSummary)).toHaveLength(broadcast.topics.length);
    expect(clock.now() - before).toBe(1_500);
  });

  test('the first change after a quiet time goes out at once, what follows within the tick goes out together', () => {
    change(0);
    clock.advance(0);
    expect(deltas()).toHaveLength(1);
    change(1);
    change(2);
    change(5);
    clock.advance(49);
    expect(deltas()).toHaveLength(1);
    clock.advance(1);
    expect(deltas().map(({ topic }) => topic)).toEqual([
      sectionTopic(show, 0),
      sectionTopic(show, 0),
      sectionTopic(show, 1),
    ]);
    const decoded = decodeServerFrame(deltas()[1]!.frame);
    const message = decoded.ok && decoded.message.type === 'delta' ? decoded.message : null;
    expect(message?.sequence).toBe(3);
    expect(decodeSectionDelta(message!.changes, 4)).toEqual([
      { seat: 1, status: 1 },
      { seat: 2, status: 1 },
    ]);
  });

  test('the more sends a tick cost, the later the next one, up to half a second', () => {
    watchers = 20_000;
    change(0);
    clock.advance(0);
    change(1);
    clock.advance(199);
    expect(deltas()).toHaveLength(1);
    clock.advance(1);
    expect(deltas()).toHaveLength(2);
    watchers = 1_000_000;
    change(2);
    clock.advance(200);
    change(3);
    clock.advance(500);
    expect(deltas().map(({ at }) => at)).toEqual([0, 200, 400, 900]);
  });

  test('a section nobody watches costs no frame, nor does a show nobody entered', () => {
    watchers = 0;
    change(0);
    clock.advance(2_000);
    expect(published).toEqual([]);
  });

  test('summaries go to everybody at most once a second', () => {
    for (let seat = 0; seat < 4; seat++) {
      change(seat);
      clock.advance(100);
    }
    clock.advance(2_000);
    const summaries = published.filter(isSummary);
    expect(summaries.map(({ topic }) => topic)).toEqual([...broadcast.topics, ...broadcast.topics]);
    expect([...new Set(summaries.map(({ at }) => at))]).toEqual([0, 1_000]);
  });

  test('a round of summaries takes its time where there are many sockets, and tells what is true by then', () => {
    watchers = 150;
    change(0);
    clock.advance(0);
    const summaries = () => published.filter(isSummary);
    expect(summaries()).toHaveLength(2);
    change(1);
    clock.advance(10_000);
    const groups = broadcast.topics;
    expect(summaries().map(({ topic }) => topic)).toEqual([...groups, ...groups]);
    const freeAt = (index: number) => {
      const decoded = decodeServerFrame(summaries()[index]!.frame);
      const message = decoded.ok && decoded.message.type === 'summary' ? decoded.message : null;
      return decodeSummaries(message!.sections, 2)?.map(({ free }) => free);
    };
    expect([freeAt(0), freeAt(2), freeAt(groups.length)]).toEqual([[3], [2], [2]]);
    const firstRound = summaries().slice(0, groups.length);
    expect(firstRound.at(-1)!.at).toBe((groups.length / 2 - 1) * 50);
  });

  test('nothing runs while nothing changes, and nothing after the end', () => {
    change(0);
    broadcast.stop();
    clock.advance(10_000);
    expect(published).toHaveLength(0);
  });
});
