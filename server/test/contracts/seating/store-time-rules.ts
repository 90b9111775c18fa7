import type { Hold } from '../../../src/feed/show-feed.ts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type SessionId, sessionId, type ShowId, showId } from '../../../src/platform/ids.ts';
import type { SeatRules, SeatStore } from '../../../src/seating/seat-store.ts';
import { accepted, newOrderId, NO_FACTS } from './seat-stand.ts';

/** A seat store that goes by its own time, as in production. */
export interface StoreOnItsOwnTime {
  readonly store: SeatStore;
  admit(show: ShowId, session: SessionId, deadline: number): Promise<void>;
  close(): unknown;
}

const MINUTE_MS = 60_000;
const LIFETIME_MS = 2 * MINUTE_MS;
const KEEP_MS = 90_000;
const SKEWS = [
  { clock: 'ten minutes ahead', skewMs: 10 * MINUTE_MS },
  { clock: 'ten minutes behind', skewMs: -10 * MINUTE_MS },
] as const;

let lastShow = 900_000;

/** Does something on a machine whose clock is wrong by `skewMs`. */
async function onMachine<T>(skewMs: number, work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + skewMs });
  try {
    return await work();
  } finally {
    vi.useRealTimers();
  }
}

/** Whichever clock a node's machine has, seats go by the store's: of production's stores, given no time by a test. */
export function describeStoreTime(name: string, makeStore: () => Promise<StoreOnItsOwnTime>): void {
  describe(`a wrong clock: ${name}`, () => {
    let node: StoreOnItsOwnTime;
    let rules: SeatRules;
    const session = sessionId('ana'.padEnd(22, '-'));
    beforeAll(async () => {
      node = await makeStore();
    });
    afterAll(async () => {
      await node.close();
    });

    async function holdOn(skewMs: number): Promise<Hold> {
      lastShow += 1;
      const show = showId(lastShow);
      const map = { seatCount: 4, sectionOf: new Uint16Array(4), sectionCount: 1 };
      rules = {
        show,
        ...map,
        seatsPerBuyer: 4,
        seatsPerNetwork: Infinity,
        holdLifetimeMs: LIFETIME_MS,
        extensionsMax: 1,
      };
      await node.store.open(rules, NO_FACTS);
      await node.admit(show, session, Date.now() + 60 * MINUTE_MS);
      const request = { kind: 'hold', session, network: null, seats: [1], prices: [500] } as const;
      return onMachine(skewMs, async () => accepted((await node.store.take(rules, [request]))[0]));
    }

    const checkout = (hold: Hold, skewMs: number) => {
      const request = { idempotencyKey: 'key-one-', amount: 500, orderId: newOrderId(), keepMs: KEEP_MS };
      const { holdToken: token } = hold;
      return onMachine(skewMs, async () =>
        accepted(
          (await node.store.take(rules, [{ kind: 'checkout', session, holdToken: token, ...request }]))[0],
        ),
      );
    };

    it.each(SKEWS)('[P3] a hold taken through a node $clock lasts as long as any', async ({ skewMs }) => {
      const since = Date.now();
      const hold = await holdOn(skewMs);
      const { holdToken } = hold;
      const [extended] = await onMachine(skewMs, () =>
        node.store.take(rules, [{ kind: 'extend', session, holdToken }]),
      );
      for (const { expiresAt } of [hold, accepted(extended)]) {
        expect(expiresAt).toBeGreaterThanOrEqual(since + LIFETIME_MS);
        expect(expiresAt).toBeLessThanOrEqual(Date.now() + LIFETIME_MS);
      }
    });

    it.each(SKEWS)(
      '[P2] a node $clock sweeps no hold that is being paid, nor takes it for gone',
      async ({ skewMs }) => {
        const { hold } = await checkout(await holdOn(0), 0);
        await onMachine(skewMs, async () => {
          expect(await node.store.expire(rules)).toBe(0);
          expect(await node.store.holdOf(rules.show, session)).toEqual(hold);
        });
      },
    );

    it.each(SKEWS)(
      '[P2] a payment begun through a node $clock has its time, and a repeat elsewhere the same',
      async ({ skewMs }) => {
        const held = await holdOn(0);
        const since = Date.now();
        const first = await checkout(held, skewMs);
        expect(first.begunAt).toBeGreaterThanOrEqual(since);
        expect(first.begunAt).toBeLessThanOrEqual(Date.now());
        const again = await checkout(held, -skewMs);
        expect(again).toEqual({ ...first, repeated: true });
      },
    );
  });
}
