import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { refusalCodes } from '@stampede/shared/protocol/codes.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { Metrics, type RequestResult } from './metrics.ts';

/** A sample of the text format (Prometheus exposition format 0.0.4). */
const SAMPLE = /^([a-z0-9_]+)(?:\{(.*)\})? (.+)$/;

describe('metrics', () => {
  let clock: ManualClock;
  let metrics: Metrics;
  beforeEach(() => {
    clock = new ManualClock();
    metrics = new Metrics(clock);
  });

  async function samples(): Promise<Map<string, number>> {
    const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => {
        const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
        return [labels ? `${name}{${labels}}` : name, Number(value)];
      }),
    );
  }

  it('tells how Node fares: event loop, garbage, heap', async () => {
    const names = [...(await samples()).keys()].map((key) => key.replace(/\{.*/, ''));
    expect(names).toEqual(
      expect.arrayContaining([
        'nodejs_eventloop_lag_p99_seconds',
        'nodejs_heap_size_used_bytes',
        'process_cpu_seconds_total',
      ]),
    );
  });

  it('counts what was done, each count once however often it is asked for', async () => {
    metrics.countFrames(3, 100);
    metrics.countFrames(1, 7);
    metrics.seatChanges.add(5);
    metrics.admissions.add(2);
    metrics.catalogReads.add('process', 9);
    metrics.catalogReads.add('database');
    for (let asked = 0; asked < 2; asked++) {
      const all = await samples();
      expect(all.get('stampede_frames_sent_total')).toBe(4);
      expect(all.get('stampede_sent_bytes_total')).toBe(307);
      expect(all.get('stampede_seat_changes_total')).toBe(5);
      expect(all.get('stampede_admissions_total')).toBe(2);
      expect(all.get('stampede_catalog_reads_total{layer="process"}')).toBe(9);
      expect(all.get('stampede_catalog_reads_total{layer="redis"}')).toBe(0);
      expect(all.get('stampede_catalog_reads_total{layer="database"}')).toBe(1);
    }
  });

  it('tells holds, checkouts and settled orders by outcome, with their times in seconds', async () => {
    metrics.countHold('done', 3);
    metrics.countHold('seat-taken', 40);
    metrics.countCheckout('failed');
    metrics.countSettled('confirmed', 1_800);
    metrics.countSettled('processing', 5);
    const all = await samples();
    expect(all.get('stampede_holds_total{outcome="done"}')).toBe(1);
    expect(all.get('stampede_holds_total{outcome="seat-taken"}')).toBe(1);
    expect(all.get('stampede_hold_seconds_bucket{le="0.005"}')).toBe(1);
    expect(all.get('stampede_hold_seconds_bucket{le="0.05"}')).toBe(2);
    expect(all.get('stampede_hold_seconds_sum')).toBeCloseTo(0.043);
    expect(all.get('stampede_checkouts_total{outcome="failed"}')).toBe(1);
    expect(all.get('stampede_orders_settled_total{status="confirmed"}')).toBe(1);
    expect(all.get('stampede_settle_seconds_count')).toBe(1);
  });

  it('[P7] has a line for each refusal there is, and none for what is none', async () => {
    // A newer script could answer with a code this version does not know.
    metrics.countHold('no-such-code' as RequestResult, 1);
    const outcomes = [...(await samples()).keys()].filter((key) => key.startsWith('stampede_holds_total'));
    expect(outcomes).toHaveLength(Object.keys(refusalCodes).length + 2);
    expect(outcomes.join()).not.toContain('no-such-code');
  });

  it('reads gauges when it is asked, and forgets shows that are gone', async () => {
    let shows = [7, 8].map((show) => ({
      show,
      sessions: show * 10,
      seats: { available: 4, held: 3, sold: 2, blocked: 1 },
    }));
    let roomReads = 0;
    metrics.addReadings({
      socketsOpen: () => 12,
      shows: () => shows,
      waitingRooms: async () => {
        roomReads += 1;
        return [{ show: 7, waiting: 1_000, admitted: 50 }];
      },
      reconciliationDifference: () => 0,
    });
    const first = await samples();
    expect(first.get('stampede_sockets_open')).toBe(12);
    expect(first.get('stampede_sessions{show="8"}')).toBe(80);
    expect(first.get('stampede_seats{show="7",status="sold"}')).toBe(2);
    expect(first.get('stampede_waiting{show="7"}')).toBe(1_000);
    expect(first.get('stampede_admitted{show="7"}')).toBe(50);
    expect(first.get('stampede_reconciliation_difference')).toBe(0);
    // Two metrics of one reading ask once.
    expect(roomReads).toBe(1);
    shows = shows.slice(0, 1);
    const second = await samples();
    expect([...second.keys()].filter((key) => key.includes('show="8"'))).toEqual([]);
    expect(first.has('stampede_outbox_pending')).toBe(false);
  });

  it('leaves out what can not be read, tells the rest, and counts the failure', async () => {
    let isBroken = false;
    metrics.addReadings({
      socketsOpen: () => 12,
      outboxPending: async () => {
        if (isBroken) throw new Error('the database is down');
        return 3;
      },
    });
    expect((await samples()).get('stampede_outbox_pending')).toBe(3);
    isBroken = true;
    const all = await samples();
    expect(all.has('stampede_outbox_pending')).toBe(false);
    expect(all.get('stampede_sockets_open')).toBe(12);
    expect((await samples()).get('stampede_failed_readings_total')).toBeGreaterThan(0);
  });

  it('[P7] does not wait for a store that gives no answer', async () => {
    metrics.addReadings({
      socketsOpen: () => 12,
      outboxPending: () => new Promise(() => undefined),
    });
    const asked = samples();
    await new Promise(setImmediate);
    clock.advance(1_000);
    const all = await asked;
    expect(all.has('stampede_outbox_pending')).toBe(false);
    expect(all.get('stampede_sockets_open')).toBe(12);
  });
});
