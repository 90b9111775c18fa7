import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { PaymentCount } from '../../src/payment-log/payment-deliveries.ts';
import type { PaymentRequest } from '../../src/payment-log/payment-log.ts';
import type { PaymentRecord } from '../../src/payment-log/payment-record.ts';
import { SqlPaymentLog } from '../../src/payment-log/sql-payment-log.ts';
import type { Database } from '../../src/platform/database.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import { paymentRequest, records } from './payment-requests.ts';

/** Longer than any wait before a redelivery or between two looks at the table. */
const PATIENCE_MS = 60_000;

export interface TableLogStand {
  readonly database: Database;
  readonly empty: () => Promise<void>;
}

/** What the payment log does with records that can't be settled, where it is a table. */
export function describeTableLog(name: string, open: () => Promise<TableLogStand>): void {
  describe(`payments put aside: ${name}`, () => {
    const ends: (() => Promise<void>)[] = [];
    afterEach(async () => {
      for (const end of ends.splice(0).toReversed()) await end();
    });

    async function stand(handle: (request: PaymentRequest) => void = () => undefined) {
      const { database, empty } = await open();
      ends.push(empty);
      const clock = new ManualClock(1_800_000_000_000);
      const counts = new Map<PaymentCount, number>();
      const log = new SqlPaymentLog({
        database,
        records,
        outside: { clock, random: seededRandom(1), nextTurn, report: () => undefined },
        count: (what, payments) => void counts.set(what, (counts.get(what) ?? 0) + payments),
      });
      const handled: string[] = [];
      const givenUp: string[] = [];
      const stop = await log.consume(
        async (requests) => {
          for (const request of requests) handle(request);
          handled.push(...requests.map(({ orderId }) => orderId));
        },
        async ({ orderId }) => void givenUp.push(orderId),
      );
      ends.push(stop);
      /** Puts a row into the table as others may, with an offset of their choice. */
      const put = async (
        { orderId, show }: PaymentRequest,
        { schema, text, mac }: PaymentRecord,
        offset?: number,
      ) => {
        const columns = 'order_id, show_id, request, form, mac, appended_at';
        const values = [orderId, show, text, schema, mac, 0];
        await database
          .entities()
          .execute(
            offset === undefined
              ? `insert into payment_log (${columns}) values (?, ?, ?, ?, ?, ?)`
              : `insert into payment_log (${columns}, log_offset) values (?, ?, ?, ?, ?, ?, ?)`,
            offset === undefined ? values : [...values, offset],
            'run',
          );
      };
      const letters = () =>
        database
          .entities()
          .execute<{ reason: string }[]>('select reason from payment_dead_letters order by reason');
      /** Lets time go by until a condition holds. */
      const eventually = (check: () => void | Promise<void>, ms = PATIENCE_MS) =>
        vi.waitFor(
          async () => {
            clock.advance(ms);
            await check();
          },
          { timeout: 20_000, interval: 10 },
        );
      return { log, clock, counts, handled, givenUp, put, letters, eventually };
    }

    it('[P2] a payment that keeps failing is given an end and put aside, and the others are settled', async () => {
      const bad = paymentRequest();
      const { log, counts, handled, givenUp, letters, eventually } = await stand(({ orderId }) => {
        if (orderId === bad.orderId) throw new Error('nobody can settle this');
      });
      await log.append([bad]);
      const others: string[] = [];
      await eventually(async () => {
        const other = paymentRequest();
        others.push(other.orderId);
        await log.append([other]);
        expect(await letters()).toEqual([{ reason: 'failing' }]);
      });
      expect(givenUp).toEqual([bad.orderId]);
      await eventually(() => expect(counts.get('dead-letter-failing')).toBe(1));
      await eventually(async () => expect(await log.pending(bad.show)).toEqual([]));
      expect(new Set(handled)).toEqual(new Set(others));
    });

    it('[P6] what none of ours wrote, and what nobody can read, is put aside and holds up nothing', async () => {
      const { log, counts, handled, put, letters, eventually } = await stand();
      const [forged, unreadable, good] = [paymentRequest(), paymentRequest(), paymentRequest()];
      await put(forged, { ...records.write(forged), mac: 'x'.repeat(43) });
      await put(unreadable, records.seal('{', 1));
      await log.append([good]);
      await eventually(async () =>
        expect(await letters()).toEqual([{ reason: 'forged' }, { reason: 'unreadable' }]),
      );
      await eventually(() => expect(handled).toEqual([good.orderId]));
      await eventually(async () => expect(await log.pending(forged.show)).toEqual([]));
      expect(counts.get('dead-letter-forged')).toBe(1);
    });

    it('[P2] a payment of a newer version is left to its workers for a while', async () => {
      const { log, handled, put, letters, eventually } = await stand();
      const [newer, good] = [paymentRequest(), paymentRequest()];
      await put(newer, records.seal(records.write(newer).text, 2));
      await log.append([good]);
      await eventually(() => expect(handled).toEqual([good.orderId]), 0);
      expect(await letters()).toEqual([]);
      await eventually(async () => expect(await letters()).toEqual([{ reason: 'newer' }]));
    });

    it('[P2] a commit that comes late, behind what was delivered, is found', async () => {
      const { log, handled, put, eventually } = await stand();
      const [late, early] = [paymentRequest(), paymentRequest()];
      await put(early, records.write(early), 5_000_000);
      await eventually(() => expect(handled).toEqual([early.orderId]));
      await put(late, records.write(late), 4_999_999);
      await eventually(() => expect(handled).toEqual([early.orderId, late.orderId]));
      await eventually(async () => expect(await log.pending(late.show)).toEqual([]));
    });

    it('[P2] what was put aside is settled when it is replayed, once what was wrong is mended', async () => {
      let isMended = false;
      const { log, handled, letters, eventually } = await stand(({ seats }) => {
        if (seats.length === 2 && !isMended) throw new Error('not yet');
      });
      const bad = paymentRequest({ seats: [1, 2] });
      await log.append([bad]);
      await eventually(async () => {
        await log.append([paymentRequest()]);
        expect(await letters()).toHaveLength(1);
      });
      isMended = true;
      expect(await log.replay()).toBe(1);
      await eventually(() => expect(handled).toContain(bad.orderId));
      expect(await log.replay()).toBe(0);
    });
  });
}
