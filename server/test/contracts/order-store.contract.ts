import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Order, OrderStore, Verdict } from '../../src/checkout/order-store.ts';
import type { PaymentRequest } from '../../src/payment-log/payment-log.ts';
import { holdToken, sessionId, showId } from '../../src/platform/ids.ts';
import { hostileText, hostileWord } from './hostile-text.ts';
import { confirmed, declined, NOW, newOrderId, paymentRequest, voided } from './payment-requests.ts';

export interface OrderStoreUnderTest {
  readonly store: OrderStore;
  /** The same data through a store that has seen nothing of it: another process. */
  another(): OrderStore;
  remove(): Promise<void>;
}

const LATER = NOW + 5_000;

function finalOrder(verdict: Verdict, more: Partial<Order> = {}): Order {
  const { payBy: _payBy, orderId, ...asked } = verdict.request;
  return {
    ...asked,
    id: orderId,
    status: verdict.status,
    reason: verdict.reason,
    paymentReference: verdict.paymentReference,
    tickets: verdict.tickets,
    settledAt: LATER,
    ...more,
  };
}

/** What every database of orders must do. */
export function orderStoreContract(name: string, open: () => Promise<OrderStoreUnderTest>): void {
  describe(`order store: ${name}`, () => {
    let under: OrderStoreUnderTest;
    let store: OrderStore;
    beforeEach(async () => {
      under = await open();
      store = under.store;
    });
    afterEach(() => under.remove());

    const settleOne = async (verdict: Verdict, now = LATER, at = store): Promise<Order> => {
      const [record] = await at.settle([verdict], now);
      if (!record) throw new Error('settle returned nothing');
      return record.order;
    };

    describe('settle', () => {
      it('[P2] makes every kind of verdict final and returns the orders in the order asked', async () => {
        const verdicts = [
          confirmed(paymentRequest({ seats: [40, 12, 41] })),
          declined(paymentRequest()),
          voided(paymentRequest()),
          confirmed(paymentRequest()),
        ];
        const records = await store.settle(verdicts, LATER);
        expect(records.map((record) => record.order)).toEqual(verdicts.map((verdict) => finalOrder(verdict)));
        expect(new Set(records.map((record) => record.id)).size).toBe(verdicts.length);
        const ids = verdicts.map((verdict) => verdict.request.orderId);
        const read = await under.another().byIds(ids);
        expect(new Map(read.map((order) => [order.id, order]))).toEqual(
          new Map(records.map(({ order }) => [order.id, order])),
        );
      });

      it('does nothing for no verdicts', async () => {
        expect(await store.settle([], LATER)).toEqual([]);
      });

      it('[P2] leaves an order that is final as it is, whatever is said later', async () => {
        const request = paymentRequest();
        const first = await settleOne(voided(request));
        const again = await settleOne(confirmed(request), LATER + 1);
        expect(again).toEqual(first);
        expect(await store.soldSeats(request.show)).toEqual([]);
        const [pending, ...more] = await store.pendingOutbox(10, 0);
        expect(pending?.order).toEqual(first);
        expect(more).toEqual([]);
      });

      it('[P2] an order of a batch that is final already keeps its outcome, and the others get theirs', async () => {
        const request = paymentRequest({ seats: [1] });
        const first = await settleOne(voided(request));
        const others = [confirmed(paymentRequest({ seats: [1, 2] })), declined(paymentRequest())];
        const records = await store.settle([others[0]!, confirmed(request), others[1]!], LATER + 1);
        const now = { settledAt: LATER + 1 };
        expect(records.map((record) => record.order)).toEqual([
          finalOrder(others[0]!, now),
          first,
          finalOrder(others[1]!, now),
        ]);
        expect(await store.pendingOutbox(10, 0)).toEqual(records.toSorted((a, b) => a.id - b.id));
      });

      it('[P2] two processes settle the same orders at the same time: one outcome and one record each', async () => {
        const other = under.another();
        const requests = Array.from({ length: 20 }, (_, seat) => paymentRequest({ seats: [seat] }));
        const [ours, theirs] = await Promise.all([
          store.settle(requests.map(confirmed), LATER),
          other.settle(requests.map(voided), LATER),
        ]);
        expect(ours).toEqual(theirs);
        expect(await store.pendingOutbox(50, 0)).toEqual(ours.toSorted((a, b) => a.id - b.id));
      });

      it('settles an order once that is asked twice in one batch', async () => {
        const verdict = confirmed(paymentRequest());
        const [one, two] = await store.settle([verdict, verdict], LATER);
        expect(one).toEqual(two);
        expect(await store.pendingOutbox(10, 0)).toHaveLength(1);
      });

      it('[P1] one seat in two batches: the first keeps it, the second is voided with a reason', async () => {
        const first = confirmed(paymentRequest({ seats: [5, 6] }));
        const second = confirmed(paymentRequest({ seats: [6, 7] }));
        await store.settle([first], LATER);
        const loser = await settleOne(second);
        expect(loser).toEqual(finalOrder(second, { status: 'voided', reason: 'seat-sold', tickets: [] }));
        expect(await store.soldSeats(first.request.show)).toEqual([
          { seat: 5, session: first.request.session },
          { seat: 6, session: first.request.session },
        ]);
        expect(await store.soldSeats(first.request.show, { from: 6, to: 7 })).toEqual([
          { seat: 6, session: first.request.session },
        ]);
      });

      it('[P1] one seat twice in a batch: one has it, the rest of the batch is untouched', async () => {
        const bystanders = [confirmed(paymentRequest({ seats: [1] })), declined(paymentRequest())];
        const rivals = [confirmed(paymentRequest({ seats: [9] })), confirmed(paymentRequest({ seats: [9] }))];
        const records = await store.settle([...bystanders, ...rivals], LATER);
        const statuses = records.map((record) => record.order.status);
        expect(statuses).toEqual(['confirmed', 'declined', 'confirmed', 'voided']);
        expect(await store.soldSeats(showId(7))).toHaveLength(2);
      });

      it('[P1] the same seat of two shows is two seats', async () => {
        const records = await store.settle(
          [
            confirmed(paymentRequest({ seats: [3], show: showId(1) })),
            confirmed(paymentRequest({ seats: [3], show: showId(2) })),
          ],
          LATER,
        );
        expect(records.map((record) => record.order.status)).toEqual(['confirmed', 'confirmed']);
      });

      it('[P2] a key that another order of the session has: voided, and found under its id', async () => {
        const first = paymentRequest();
        const second = paymentRequest({ session: first.session, idempotencyKey: first.idempotencyKey });
        const kept = await settleOne(declined(first));
        const loser = await settleOne(confirmed(second));
        expect(loser).toMatchObject({
          id: second.orderId,
          status: 'voided',
          reason: 'key-reused',
          tickets: [],
        });
        expect(await store.byIds([first.orderId, second.orderId])).toEqual([kept, loser]);
        expect(await store.soldSeats(first.show)).toEqual([]);
      });

      it('[P1] two processes settle rivals at the same time: each seat has one owner', async () => {
        const other = under.another();
        const rivals = (count: number) =>
          Array.from({ length: count }, (_, seat) => confirmed(paymentRequest({ seats: [seat] })));
        const [ours, theirs] = await Promise.all([
          store.settle(rivals(20), LATER),
          other.settle(rivals(20), LATER),
        ]);
        for (let seat = 0; seat < 20; seat++) {
          const statuses = [ours[seat]?.order.status, theirs[seat]?.order.status];
          expect(statuses.toSorted()).toEqual(['confirmed', 'voided']);
        }
        expect(await store.soldSeats(showId(7))).toHaveLength(20);
      });

      it('[P1][P2] any batches over few seats: one outcome an order, one owner a seat', async () => {
        const request = fc.record({
          seats: fc.uniqueArray(fc.nat(11), { minLength: 1, maxLength: 4 }),
          session: fc.constantFrom(sessionId('anna'), sessionId('ANNA'), sessionId('bert')),
          idempotencyKey: fc.constantFrom('a', 'A', 'é', 'b', 'c', 'd'),
        });
        const verdict = fc
          .tuple(request, fc.constantFrom(confirmed, confirmed, declined, voided))
          .map(([asked, kind]) => ({ asked, kind }));
        let show = 100;
        await fc.assert(
          fc.asyncProperty(
            fc.array(fc.array(verdict, { maxLength: 6 }), { maxLength: 5 }),
            async (batches) => {
              show += 1;
              const asked: PaymentRequest[] = [];
              const told = await Promise.all(
                batches.map((batch) =>
                  store.settle(
                    batch.map(({ asked: wish, kind }) => {
                      // Keys live per session; a session of its own per run keeps the runs apart.
                      const session = sessionId(`${wish.session}-${String(show)}`);
                      const one = paymentRequest({ ...wish, session, show: showId(show) });
                      asked.push(one);
                      return kind(one);
                    }),
                    LATER,
                  ),
                ),
              );
              const orders = told.flat().map((record) => record.order);
              expect(orders.map((order) => order.id).toSorted()).toEqual(
                asked.map((one) => one.orderId).toSorted(),
              );
              const owned = orders
                .filter((order) => order.status === 'confirmed')
                .flatMap((order) => order.seats);
              expect(new Set(owned).size).toBe(owned.length);
              const sold = await store.soldSeats(showId(show));
              expect(sold.map((row) => row.seat)).toEqual(owned.toSorted((a, b) => a - b));
            },
          ),
          { numRuns: 25 },
        );
      });

      it('takes a large batch of large orders', async () => {
        const requests = Array.from({ length: 200 }, (_, order) =>
          paymentRequest({ seats: Array.from({ length: 32 }, (__, seat) => order * 32 + seat) }),
        );
        const records = await store.settle(requests.map(confirmed), LATER);
        expect(new Set(records.map((record) => record.order.status))).toEqual(new Set(['confirmed']));
        expect(await store.soldSeats(showId(7))).toHaveLength(200 * 32);
      });

      it('[P2] hostile text is kept exactly and holds up no other of its batch', async () => {
        await fc.assert(
          fc.asyncProperty(
            hostileText(80),
            hostileText(255),
            hostileWord(64, 8),
            async (reason, paymentReference, idempotencyKey) => {
              const odd = { ...declined(paymentRequest({ idempotencyKey })), reason, paymentReference };
              const bystanders = [declined(paymentRequest()), declined(paymentRequest())];
              const verdicts = [bystanders[0]!, odd, bystanders[1]!];
              const records = await store.settle(verdicts, LATER);
              const expected = verdicts.map((verdict) => finalOrder(verdict));
              expect(records.map(({ order }) => order)).toEqual(expected);
              expect(await under.another().byIds([odd.request.orderId])).toEqual([finalOrder(odd)]);
            },
          ),
          { numRuns: 60, examples: [['\0', '\0', 'a-key-of-mine']] },
        );
      });

      it('6.7 two keys of a session that differ in one byte are two keys', async () => {
        const session = sessionId('aB-_9');
        const keys = ['a-key-of-mine', 'A-key-of-mine', 'a-key-of-mine ', 'ä-key-of-mine', 'a-key-of-mine\0'];
        const requests = keys.map((idempotencyKey) => paymentRequest({ session, idempotencyKey }));
        const records = await store.settle(requests.map(declined), LATER);
        expect(records.map(({ order }) => order.status)).toEqual(keys.map(() => 'declined'));
        const found = await store.byIds(requests.map(({ orderId }) => orderId));
        expect(found.map((order) => order.idempotencyKey)).toEqual(keys);
      });

      it('keeps text as it was given', async () => {
        const odd = paymentRequest({ idempotencyKey: `Ω'"\\%_;-- 🎟`, session: sessionId('aB-_9') });
        const verdict = { ...declined(odd), reason: `l'"\\ 拒否` };
        expect(await settleOne(verdict)).toEqual(finalOrder(verdict));
        expect(await store.byIds([odd.orderId])).toEqual([finalOrder(verdict)]);
      });
    });

    describe('reading', () => {
      it('finds only those of the ids that are final', async () => {
        const order = await settleOne(confirmed(paymentRequest()));
        expect(await store.byIds([newOrderId(), order.id])).toEqual([order]);
        expect(await store.byIds([])).toEqual([]);
      });

      it('[P6] a key belongs to its session alone, whose case counts', async () => {
        const idempotencyKey = 'Key-1-abc';
        for (const session of [sessionId('aBcDe'), sessionId('ABCDE')]) {
          const order = await settleOne(confirmed(paymentRequest({ session, idempotencyKey })));
          expect(order).toMatchObject({ status: 'confirmed', session, idempotencyKey });
        }
      });

      it('[P6] lists the orders of each asked session alone, newest first, at most as many as asked', async () => {
        const session = sessionId('aBcD');
        const other = sessionId('abcd');
        const none = sessionId('nobody');
        for (const age of [3, 1, 2]) {
          const createdAt = NOW - age;
          await settleOne(declined(paymentRequest({ session, createdAt, holdToken: holdToken(age) })));
        }
        await settleOne(declined(paymentRequest({ session: other, createdAt: NOW - 9 })));
        const instants = async (limit: number) => {
          const lists = await store.ofSessions([session, none, other], limit);
          return [session, none, other].map((one) => lists.get(one)?.map((order) => order.createdAt));
        };
        expect(await instants(10)).toEqual([[NOW - 1, NOW - 2, NOW - 3], [], [NOW - 9]]);
        expect(await instants(2)).toEqual([[NOW - 1, NOW - 2], [], [NOW - 9]]);
        // The long history of one takes no room from another's.
        expect(await instants(1)).toEqual([[NOW - 1], [], [NOW - 9]]);
      });
    });

    describe('outbox', () => {
      it('[P2] keeps what was not applied, oldest first, also for another process', async () => {
        const records = await store.settle(
          [1, 2, 3].map(() => confirmed(paymentRequest())),
          LATER,
        );
        const other = under.another();
        const all = await other.pendingOutbox(10, 0);
        expect(all.map((record) => record.id)).toEqual(
          records.map((record) => record.id).toSorted((a, b) => a - b),
        );
        expect(all.map((record) => record.order)).toEqual(
          expect.arrayContaining(records.map((one) => one.order)),
        );
        expect(await other.pendingOutbox(2, 0)).toEqual(all.slice(0, 2));
        expect(await other.pendingOutbox(2, all[1]!.id)).toEqual(all.slice(2));
        await store.markApplied([all[0]!.id, all[2]!.id], LATER);
        expect(await other.pendingOutbox(10, 0)).toEqual([all[1]]);
      });

      it('marking again, or nothing, or what never was, changes nothing', async () => {
        const [record] = await store.settle([confirmed(paymentRequest())], LATER);
        await store.markApplied([record!.id], LATER);
        await store.markApplied([record!.id, record!.id + 1_000], LATER + 1);
        await store.markApplied([], LATER);
        expect(await store.pendingOutbox(10, 0)).toEqual([]);
      });
    });
  });
}
