import type { Hold } from '../../../src/feed/show-feed.ts';
import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdToken, type HoldToken, type SessionId } from '../../../src/platform/ids.ts';
import type { Outcome } from '../../../src/platform/outcome.ts';
import { type Answer, type ModelHold, type ModelOrder, SaleModel } from './sale-model.ts';
import {
  accepted,
  ANY_REVISION,
  HOLD_LIFETIME_MS,
  newOrderId,
  type OpenStand,
  PAYMENT_TIME_MS,
  priceOfAll,
  type SeatStand,
} from './seat-stand.ts';

const SEAT_COUNT = 7;
const BUYERS = ['ana', 'ben', 'cleo', 'dan'];
const STEPS_MAX = 60;

const buyer = fc.nat(BUYERS.length - 1);
/** Mostly seats for sale, sometimes one that the show does not have. */
const seat = fc.oneof(
  { weight: 30, arbitrary: fc.nat(SEAT_COUNT - 1) },
  { weight: 1, arbitrary: fc.constant(99) },
);
const seats = fc.array(seat, { minLength: 1, maxLength: 4 });
const order = fc.nat(20);
/** Whose token a command shows: mostly the caller's, sometimes another's or an old one. */
const token = fc.oneof(
  { weight: 8, arbitrary: fc.constant('own' as const) },
  { weight: 1, arbitrary: fc.constant('other' as const) },
  { weight: 1, arbitrary: fc.constant('old' as const) },
);

const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pass' as const),
      ms: fc.constantFrom<number[]>(1, 60_000, 150_000, HOLD_LIFETIME_MS, PAYMENT_TIME_MS),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('hold' as const),
      requests: fc.array(fc.record({ buyer, seats }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('admit' as const),
      buyer,
      ms: fc.constantFrom(0, 100_000, 10_000_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('extend' as const), buyer, token }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('release' as const),
      buyer,
      token,
      seats: fc.array(seat, { maxLength: 2 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('checkout' as const),
      buyer,
      token,
      key: fc.constantFrom('key-one-', 'key-two-', 'key-tri-'),
      off: fc.constantFrom(0, 0, 0, 1),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abandon' as const), order }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('accept' as const), order }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('overdue' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('settle' as const),
      orders: fc.array(order, { minLength: 1, maxLength: 3 }),
      wish: fc.constantFrom('sold' as const, 'returned' as const, 'voided' as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('expire' as const) }) },
);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** A store and the model of it, driven alike. */
class RandomSale {
  readonly #stand: SeatStand;
  readonly #model: SaleModel;
  readonly #sessions: readonly SessionId[];
  readonly #seen = new Map<SessionId, Hold>();
  /** The highest token seen. */
  #fence = holdToken(0);

  constructor(stand: SeatStand, sessions: readonly SessionId[]) {
    this.#stand = stand;
    this.#sessions = sessions;
    this.#model = new SaleModel(stand.rules.seatCount, stand.now);
    for (const session of sessions) this.#model.admit(session, Number.MAX_SAFE_INTEGER);
  }

  async run(one: Step): Promise<void> {
    const [stand, model] = [this.#stand, this.#model];
    switch (one.do) {
      case 'pass':
        stand.pass(one.ms);
        model.pass(one.ms);
        break;
      case 'admit': {
        const deadline = model.now + one.ms;
        await stand.buyer(BUYERS[one.buyer]!, deadline);
        model.admit(this.#session(one.buyer), deadline);
        break;
      }
      case 'hold':
        await this.#hold(
          one.requests.map((request) => ({ ...request, session: this.#session(request.buyer) })),
        );
        break;
      case 'extend': {
        const session = this.#session(one.buyer);
        const shown = this.#token(session, one.token);
        this.#agree(await stand.extend(session, shown), model.extend(session, shown));
        break;
      }
      case 'release': {
        const session = this.#session(one.buyer);
        const shown = this.#token(session, one.token);
        const outcome = await stand.release(session, shown, ...one.seats);
        expect(codeOf(outcome)).toBe(model.release(session, shown, one.seats).code);
        break;
      }
      case 'checkout':
        await this.#checkout(this.#session(one.buyer), one.token, one.key, one.off);
        break;
      case 'abandon': {
        const abandoned = this.#order(one.order);
        if (!abandoned) break;
        await stand.abandon(abandoned.session, abandoned.id);
        model.abandon(abandoned);
        break;
      }
      case 'accept': {
        const handedOver = this.#order(one.order);
        if (!handedOver) break;
        await stand.accept(handedOver.session, handedOver.id);
        model.accept(handedOver);
        break;
      }
      case 'overdue': {
        const overdue = await stand.overdue();
        expect(overdue.toSorted()).toEqual(
          model
            .overdue()
            .map(({ id }) => id)
            .toSorted(),
        );
        break;
      }
      case 'settle':
        await this.#settle(one.orders, one.wish);
        break;
      case 'expire':
        await stand.expire();
        model.unswept.clear();
        break;
    }
  }

  /** Everything that can be seen of the store is as the model says. */
  async check(): Promise<void> {
    const holders = new Map<number, SessionId>();
    for (const session of this.#sessions) {
      const hold = await this.#stand.holdOf(session);
      expect(hold).toEqual(shown(this.#model.holdOf(session)));
      this.#checkRevision(session, hold);
      for (const taken of hold?.seats ?? []) {
        expect(holders.has(taken), `[P1] seat ${taken} has two holders`).toBe(false);
        holders.set(taken, session);
      }
    }
    const { statuses } = await this.#stand.peek();
    for (let index = 0; index < SEAT_COUNT; index++) {
      expect(holders.has(index) && this.#model.sold.has(index), `[P1] seat ${index} is held and sold`).toBe(
        false,
      );
      if (this.#model.unswept.has(index)) expect([AVAILABLE, HELD]).toContain(statuses[index]);
      else if (this.#model.sold.has(index)) expect(statuses[index]).toBe(SOLD);
      else expect(statuses[index], `seat ${index}`).toBe(holders.has(index) ? HELD : AVAILABLE);
    }
  }

  /** 6.3 Of one hold, what is seen later has another revision only if it is another state, and then a higher one. */
  #checkRevision(session: SessionId, hold: Hold | null): void {
    const before = this.#seen.get(session);
    if (hold) this.#seen.set(session, hold);
    if (before?.holdToken !== hold?.holdToken || !hold || !before) return;
    const isSame = isDeepStrictEqual({ ...before, revision: 0 }, { ...hold, revision: 0 });
    if (!isSame) expect(hold.revision).toBeGreaterThan(before.revision);
    else expect(hold.revision).toBeGreaterThanOrEqual(before.revision);
  }

  /** [P3] Whatever happened before, time alone puts every unsold seat on sale. */
  async end(): Promise<void> {
    await this.run({ do: 'pass', ms: HOLD_LIFETIME_MS + PAYMENT_TIME_MS });
    await this.run({ do: 'expire' });
    await this.check();
    const picture = Array.from({ length: SEAT_COUNT }, (_, index) =>
      this.#model.sold.has(index) ? 'S' : '.',
    );
    expect(await this.#stand.picture()).toBe(picture.join(''));
  }

  async #hold(
    requests: readonly { readonly session: SessionId; readonly seats: readonly number[] }[],
  ): Promise<void> {
    const asked = requests.map(({ session, seats: wanted }) => this.#stand.ask(session, ...wanted));
    const outcomes = await this.#stand.store.take(this.#stand.rules, asked);
    requests.forEach(({ session, seats: wanted }, index) => {
      const outcome = outcomes[index]!;
      const isNew = this.#model.holdOf(session) === undefined;
      const number = outcome.ok ? outcome.value.holdToken : holdToken(0);
      const answer = this.#model.hold(session, wanted, number);
      // Later requests of the batch may have changed the hold again: its last state is compared by `check`.
      expect(codeOf(outcome)).toBe(answer.code);
      if (!outcome.ok || !isNew) return;
      expect(number).toBeGreaterThan(this.#fence);
      this.#fence = number;
    });
  }

  async #checkout(
    session: SessionId,
    whose: 'own' | 'other' | 'old',
    key: string,
    off: number,
  ): Promise<void> {
    const shownToken = this.#token(session, whose);
    const amount = priceOfAll(this.#model.holdOf(session)?.seats ?? []) + off;
    const request = {
      kind: 'checkout' as const,
      session,
      holdToken: shownToken,
      idempotencyKey: key,
      amount,
      orderId: newOrderId(),
      keepMs: PAYMENT_TIME_MS,
    };
    const [outcome] = await this.#stand.store.take(this.#stand.rules, [request]);
    const known = this.#model.orders.length;
    const answer = this.#model.checkout(
      session,
      shownToken,
      key,
      amount,
      request.orderId,
      this.#model.now + request.keepMs,
    );
    expect(codeOf(outcome)).toBe(answer.code);
    if (!outcome.ok || answer.code !== 'ok') return;
    expect(outcome.value.hold.orderId).toBe(answer.value.id);
    expect(outcome.value.repeated).toBe(this.#model.orders.length === known);
  }

  async #settle(numbers: readonly number[], wish: 'sold' | 'returned' | 'voided'): Promise<void> {
    const settled = numbers.flatMap((number) => this.#order(number) ?? []);
    for (const one of settled) this.#model.decide(one, wish);
    const fates = settled.map((one) =>
      this.#stand.fate(one.fate!, one.session, {
        holdToken: one.token,
        seats: one.seats,
        amount: one.amount,
        orderId: one.id,
      }),
    );
    await this.#stand.settle(...fates);
    for (const one of settled) this.#model.settle(one);
  }

  #agree(outcome: Outcome<Hold>, answer: Answer<ModelHold>): void {
    expect(codeOf(outcome)).toBe(answer.code);
    if (answer.code === 'ok') expect(accepted(outcome)).toEqual(shown(answer.value));
  }

  #session(index: number): SessionId {
    return this.#sessions[index]!;
  }

  #order(index: number): ModelOrder | undefined {
    return this.#model.orders.at(-1 - index);
  }

  #token(session: SessionId, whose: 'own' | 'other' | 'old'): HoldToken {
    const own = this.#model.holdOf(session)?.token;
    const other = this.#model.holds.find((hold) => hold.session !== session)?.token;
    const old = this.#model.orders.find(
      (one) => !this.#model.holds.some((hold) => hold.token === one.token),
    )?.token;
    return { own, other, old }[whose] ?? holdToken(1);
  }
}

/** A hold of the model as the port shows it. */
function shown(hold: ModelHold | undefined): Hold | null {
  if (!hold) return null;
  return {
    holdToken: hold.token,
    seats: hold.seats,
    amount: hold.checkout?.amount ?? priceOfAll(hold.seats),
    expiresAt: hold.expiresAt,
    extensionsLeft: hold.extensionsLeft,
    orderId: hold.checkout?.id ?? null,
    begunAt: hold.checkout?.begunAt ?? 0,
    isAccepted: hold.checkout?.stage === 'accepted',
    revision: ANY_REVISION,
  };
}

function codeOf(outcome: Outcome<unknown>): string {
  return outcome.ok ? 'ok' : outcome.code;
}

/** Random sales, checked against the model after every step. */
export function describeRandomSales(open: OpenStand, numRuns: number): void {
  describe('random sales', () => {
    it('[P1] [P3] [P5] any commands in any order at any time: the store is as the model', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: STEPS_MAX, size: 'max' }), async (steps) => {
          const stand = await open({ seatCount: SEAT_COUNT });
          const reader = await stand.reader();
          const sessions = await Promise.all(BUYERS.map((name) => stand.buyer(name)));
          const sale = new RandomSale(stand, sessions);
          for (const one of steps) {
            await sale.run(one);
            await sale.check();
          }
          await sale.end();
          await stand.drain(reader);
          const { epoch, statuses, sequences } = await stand.peek();
          expect(reader.bases).toHaveLength(1);
          expect([reader.epoch, reader.statuses, reader.sequences]).toEqual([epoch, statuses, sequences]);
        }),
        { numRuns },
      );
    });
  });
}
