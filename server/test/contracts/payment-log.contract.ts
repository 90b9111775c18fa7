import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PaymentLog, PaymentRequest } from '../../src/payment-log/payment-log.ts';
import { type OrderId, showId } from '../../src/platform/ids.ts';
import { hostileText } from './hostile-text.ts';
import { paymentRequest } from './payment-requests.ts';

export interface PaymentLogUnderTest {
  readonly log: PaymentLog;
  /** The same records through a log that has seen nothing of them: what a restarted process gets. */
  restarted(): Promise<PaymentLog>;
  /** Lets time pass where the log has a clock that is moved by hand. */
  pass(ms: number): void;
  remove(): Promise<void>;
}

/** Longer than any wait before a redelivery. */
const REDELIVERY_MS_MAX = 60_000;

/** Awaits a condition; a machine under load may take its time. */
const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 10_000, interval: 10 });

/** Where time can't be moved by hand, a payment is put aside after some real waits. */
const eventuallyBuried = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 45_000, interval: 20 });

const idsOf = (requests: readonly PaymentRequest[]): OrderId[] => requests.map((request) => request.orderId);

/** What every payment log must do. */
export function paymentLogContract(name: string, open: () => Promise<PaymentLogUnderTest>): void {
  describe(`payment log: ${name}`, () => {
    let under: PaymentLogUnderTest;
    let log: PaymentLog;
    const stops: (() => Promise<void>)[] = [];
    beforeEach(async () => {
      under = await open();
      log = under.log;
    });
    afterEach(async () => {
      for (const stop of stops.splice(0)) await stop();
      await under.remove();
    });

    /** Consumes into a list of orders; `handle` may reject or wait. */
    async function consume(handle: (ids: OrderId[]) => Promise<void> = async () => {}, from = log) {
      const handled: OrderId[] = [];
      const stop = await from.consume(async (requests) => {
        await handle(idsOf(requests));
        handled.push(...idsOf(requests));
      });
      stops.push(stop);
      return { handled, stop };
    }

    const several = (count: number, more: Partial<PaymentRequest> = {}) =>
      Array.from({ length: count }, () => paymentRequest(more));

    it('[P2] what was appended is there for a process that starts later, complete and in order', async () => {
      const requests = several(3, { seats: [4, 2], idempotencyKey: `ü'"\\%` });
      await log.append(requests);
      const later = await under.restarted();
      expect(await later.pending(showId(7))).toEqual(requests);
      const { handled } = await consume(undefined, later);
      await eventually(() => expect(handled).toEqual(idsOf(requests)));
    });

    it('[P2] hostile text comes as it was appended and holds up no other', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.oneof(hostileText(64), fc.string({ unit: 'binary', minLength: 1 })),
          async (text) => {
            const [odd, plain] = [paymentRequest({ idempotencyKey: `${text}\ud83c` }), paymentRequest()];
            await log.append([odd, plain]);
            expect(await log.pending(showId(7))).toEqual(expect.arrayContaining([odd, plain]));
          },
        ),
        { numRuns: 20, examples: [['\0']] },
      );
    });

    it('delivers a request to a waiting consumer without being asked', async () => {
      const { handled } = await consume();
      for (const request of several(3)) {
        await log.append([request]);
        await eventually(() => expect(handled).toContain(request.orderId));
      }
      expect(handled).toHaveLength(3);
    });

    it('takes appends of many callers at once', async () => {
      const requests = several(50);
      await Promise.all(requests.map((request) => log.append([request])));
      const pending = await log.pending(showId(7));
      expect(new Set(idsOf(pending))).toEqual(new Set(idsOf(requests)));
    });

    it('[P2] appending a request twice delivers it once, also after it was consumed', async () => {
      const [one, two] = [paymentRequest(), paymentRequest()];
      await log.append([one, one]);
      await Promise.all([log.append([one]), log.append([one, two])]);
      const { handled } = await consume();
      await eventually(() => expect(handled.toSorted()).toEqual([one.orderId, two.orderId].toSorted()));
      await eventually(async () => expect(await log.pending(showId(7))).toEqual([]));
      const three = paymentRequest();
      await log.append([one]);
      await log.append([three]);
      await eventually(() => expect(handled).toContain(three.orderId));
      expect(handled).toHaveLength(3);
    });

    it('has nothing to do for no requests', async () => {
      await log.append([]);
      expect(await log.pending(showId(7))).toEqual([]);
    });

    it('tells the pending requests of each show apart', async () => {
      const [ours] = several(1, { show: showId(1) });
      const [theirs] = several(1, { show: showId(2) });
      await log.append([ours!, theirs!]);
      expect(await log.pending(showId(1))).toEqual([ours]);
      expect(await log.pending(showId(2))).toEqual([theirs]);
      expect(await log.pending(showId(3))).toEqual([]);
    });

    it('[P2] a request counts as pending until its handler is done', async () => {
      const gate = Promise.withResolvers<undefined>();
      const request = paymentRequest();
      const entered = Promise.withResolvers<undefined>();
      await consume(async () => {
        entered.resolve(undefined);
        await gate.promise;
      });
      await log.append([request]);
      await entered.promise;
      expect(await log.pending(request.show)).toEqual([request]);
      gate.resolve(undefined);
      await eventually(async () => expect(await log.pending(request.show)).toEqual([]));
    });

    it('[P2] a request whose handler rejects is delivered again until it is fulfilled', async () => {
      let tries = 0;
      const { handled } = await consume(async () => {
        tries += 1;
        if (tries < 4) throw new Error('not yet');
      });
      const request = paymentRequest();
      await log.append([request]);
      await eventually(() => {
        under.pass(REDELIVERY_MS_MAX);
        expect(handled).toEqual([request.orderId]);
      });
      expect(tries).toBe(4);
      await eventually(async () => expect(await log.pending(request.show)).toEqual([]));
    });

    it('a request that waits for its redelivery holds up no other', async () => {
      const [bad, good] = [paymentRequest(), paymentRequest()];
      const { handled } = await consume(async (ids) => {
        if (ids.includes(bad.orderId)) throw new Error('never');
      });
      await log.append([bad]);
      await log.append([good]);
      await eventually(() => expect(handled).toEqual([good.orderId]));
      await eventually(async () => expect(await log.pending(bad.show)).toEqual([bad]));
    });

    it('a batch under way holds up no other', async () => {
      const gate = Promise.withResolvers<undefined>();
      const [slow, quick] = [paymentRequest(), paymentRequest()];
      const entered = Promise.withResolvers<undefined>();
      const { handled } = await consume(async (ids) => {
        if (!ids.includes(slow.orderId)) return;
        entered.resolve(undefined);
        await gate.promise;
      });
      await log.append([slow]);
      await entered.promise;
      await log.append([quick]);
      await eventually(() => expect(handled).toEqual([quick.orderId]));
      gate.resolve(undefined);
      await eventually(() => expect(handled).toEqual([quick.orderId, slow.orderId]));
    });

    it('[P2] after a restart only what was not consumed is delivered', async () => {
      const [first, second] = [paymentRequest(), paymentRequest()];
      const { stop } = await consume();
      await log.append([first]);
      await eventually(async () => expect(await log.pending(first.show)).toEqual([]));
      await stop();
      await log.append([second]);
      const { handled } = await consume(undefined, await under.restarted());
      await eventually(() => expect(handled).toEqual([second.orderId]));
    });

    it('[P2] what keeps failing is put aside, listed with its reason, and settled after a replay', async () => {
      const bad = paymentRequest();
      let isMended = false;
      const { handled } = await consume(async (ids) => {
        if (!isMended && ids.includes(bad.orderId)) throw new Error('its seat map is broken');
      });
      expect(await log.deadLetters()).toEqual([]);
      await log.append([bad]);
      await eventuallyBuried(async () => {
        await log.append(several(1));
        under.pass(REDELIVERY_MS_MAX);
        expect(await log.deadLetters()).toHaveLength(1);
      });
      const [letter] = await log.deadLetters();
      expect(letter).toMatchObject({ reason: 'failing' });
      expect(letter?.error).toContain('its seat map is broken');
      expect(letter?.text).toContain(bad.orderId);
      expect(letter?.buriedAt).toEqual(expect.any(Number));
      isMended = true;
      expect(await log.replay()).toBe(1);
      await eventually(() => {
        under.pass(REDELIVERY_MS_MAX);
        expect(handled).toContain(bad.orderId);
      });
      expect(await log.deadLetters()).toEqual([]);
      expect(await log.replay()).toBe(0);
    });

    it('stopping waits for handlers under way and delivers nothing more', async () => {
      const gate = Promise.withResolvers<undefined>();
      const entered = Promise.withResolvers<undefined>();
      const { handled, stop } = await consume(async () => {
        entered.resolve(undefined);
        await gate.promise;
      });
      const [during, after] = [paymentRequest(), paymentRequest()];
      await log.append([during]);
      await entered.promise;
      const stopped = stop();
      await log.append([after]);
      gate.resolve(undefined);
      await stopped;
      expect(handled).toEqual([during.orderId]);
      expect(await log.pending(after.show)).toEqual([after]);
    });

    it('[P7] delivers a long backlog, in batches and each request once', async () => {
      const requests = several(1_500);
      await log.append(requests);
      let longest = 0;
      const { handled } = await consume(async (ids) => {
        longest = Math.max(longest, ids.length);
      });
      await eventually(() => expect(handled).toHaveLength(requests.length));
      expect(new Set(handled)).toEqual(new Set(idsOf(requests)));
      expect(longest).toBeLessThan(requests.length);
    });
  });
}
