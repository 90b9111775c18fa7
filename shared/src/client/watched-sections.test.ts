import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ACKNOWLEDGE_INTERVAL_MS } from '../protocol/limits.ts';
import { encodeSectionDelta } from '../seat-map/section-delta.ts';
import type { SeatStatus } from '../seat-map/seat-status.ts';
import { FeedHouse } from './testing/feed-house.ts';
import { EPOCH, Stage } from './testing/show-script.ts';

describe('watching', () => {
  test('[P5] a reconnect resumes each section where it stands', () => {
    const stage = new Stage().enter();
    void stage.client.watch([0, 1]);
    stage.snapshot(0, 40);
    stage.snapshot(1, 7);
    stage.socket.answer('watch', { type: 'done' });
    const changes = encodeSectionDelta([{ seat: 3, status: 1 }]);
    stage.socket.say({ type: 'delta', section: 0, sequence: 41, changes });
    stage.comeBack();
    stage.answerEnter();
    expect(stage.socket.last('watch').sections).toEqual([
      { section: 0, epoch: EPOCH, sequence: 41 },
      { section: 1, epoch: EPOCH, sequence: 7 },
    ]);
    expect(stage.client.view.sections.get(0)?.statuses[3]).toBe(1);
  });

  test('[P5] a gap changes nothing and asks for a snapshot; one request is enough', () => {
    const stage = new Stage().enter();
    void stage.client.watch([0, 1]);
    stage.snapshot(0, 40);
    stage.snapshot(1, 7);
    stage.socket.answer('watch', { type: 'done' });
    const changes = encodeSectionDelta([{ seat: 3, status: 1 }]);
    stage.socket.say({ type: 'delta', section: 0, sequence: 42, changes });
    stage.socket.say({ type: 'delta', section: 0, sequence: 43, changes });
    expect(stage.client.view.sections.get(0)).toMatchObject({ sequence: 40, statuses: new Uint8Array(8) });
    expect(stage.socket.all('watch')).toHaveLength(2);
    expect(stage.socket.last('watch').sections).toEqual([
      { section: 0, epoch: 0, sequence: 0 },
      { section: 1, epoch: EPOCH, sequence: 7 },
    ]);
    stage.snapshot(0, 43);
    stage.socket.answer('watch', { type: 'done' });
    expect(stage.client.view.sections.get(0)?.sequence).toBe(43);
    expect(stage.socket.all('watch')).toHaveLength(2);
  });

  test('5.5 another epoch drops every section; they come back as snapshots', () => {
    const stage = new Stage().enter();
    void stage.client.watch([0, 1]);
    stage.snapshot(0, 40);
    stage.snapshot(1, 7);
    stage.comeBack();
    stage.answerEnter({ epoch: EPOCH + 1 });
    expect(stage.client.view.sections.size).toBe(0);
    expect(stage.socket.last('watch').sections).toEqual([
      { section: 0, epoch: 0, sequence: 0 },
      { section: 1, epoch: 0, sequence: 0 },
    ]);
    stage.snapshot(0, 0, EPOCH + 1);
    stage.snapshot(1, 0, EPOCH + 2);
    expect([...stage.client.view.sections.keys()]).toEqual([1]);
    expect(stage.client.view.sale?.epoch).toBe(EPOCH + 2);
  });

  test('5.3 what is no longer watched is forgotten, and its frames are ignored', () => {
    const stage = new Stage().enter();
    void stage.client.watch([0]);
    stage.snapshot(0, 40);
    void stage.client.watch([1]);
    stage.socket.say({ type: 'delta', section: 0, sequence: 41, changes: Uint8Array.of(1) });
    stage.snapshot(0, 41);
    expect([...stage.client.view.sections.keys()]).toEqual([]);
    expect(stage.socket.all('watch')).toHaveLength(2);
  });

  test('5.7 applied sequences are acknowledged every 2 s, once each', () => {
    const stage = new Stage().enter();
    void stage.client.watch([0, 1]);
    stage.snapshot(0, 40);
    stage.clock.advance(ACKNOWLEDGE_INTERVAL_MS);
    expect(stage.socket.all('acknowledge')).toEqual([
      { type: 'acknowledge', sections: [{ section: 0, sequence: 40 }] },
    ]);
    stage.snapshot(1, 7);
    stage.clock.advance(ACKNOWLEDGE_INTERVAL_MS * 3);
    expect(stage.socket.all('acknowledge').slice(1)).toEqual([
      { type: 'acknowledge', sections: [{ section: 1, sequence: 7 }] },
    ]);
  });

  test('5.3 a snapshot that does not fit the layout ends the connection', () => {
    const stage = new Stage().enter();
    void stage.client.watch([0]);
    stage.socket.say({
      type: 'snapshot',
      section: 0,
      epoch: EPOCH,
      sequence: 1,
      statuses: new Uint8Array(99),
    });
    expect(stage.client.view.connection.state).toBe('reconnecting');
  });

  test('5.6 a summary of sections that the layout does not have ends the connection', () => {
    const stage = new Stage().enter();
    stage.socket.say({ type: 'summary', sections: Uint8Array.of(9, 0, 0) });
    expect(stage.client.view.connection.state).toBe('reconnecting');
  });
});

describe('any interleaving', () => {
  const SECTIONS = 2;
  const change = fc.record({
    kind: fc.constant('change' as const),
    section: fc.nat(SECTIONS - 1),
    seat: fc.nat(7),
    status: fc.constantFrom<SeatStatus[]>(0, 1, 2, 3),
  });
  const step = fc.oneof(
    { weight: 5, arbitrary: change },
    { weight: 3, arbitrary: fc.constant({ kind: 'publish' as const }) },
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant('deliver' as const), frames: fc.integer({ min: 1, max: 5 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom({ kind: 'lose-frame' as const }, { kind: 'repeat-frame' as const }),
    },
    { weight: 1, arbitrary: fc.constantFrom({ kind: 'reconnect' as const }, { kind: 'new-epoch' as const }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('watch' as const), sections: fc.subarray([0, 1]) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(4_000) }) },
  );

  test('[P5] of losses, repetitions, reconnects and lost histories shows only true states, and ends at the truth', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
        const house = new FeedHouse([8, 12]);
        house.start();
        for (const one of steps) {
          switch (one.kind) {
            case 'change':
              house.change(one.section, one);
              break;
            case 'publish':
              house.publish();
              break;
            case 'deliver':
              house.deliver(one.frames);
              break;
            case 'lose-frame':
              house.loseFrame();
              break;
            case 'repeat-frame':
              house.repeatFrame();
              break;
            case 'reconnect':
              house.reconnect();
              break;
            case 'new-epoch':
              house.loseHistory();
              break;
            case 'watch':
              void house.stage.client.watch(one.sections);
              break;
            case 'wait':
              house.stage.clock.advance(one.ms);
              break;
          }
          house.expectOnlyTruth();
        }
        void house.stage.client.watch([0, 1]);
        house.settle();
        house.expectWholeTruth();
      }),
      { numRuns: 500 },
    );
  });
});
