import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Order } from './order-store.ts';
import {
  type OutcomeEffect,
  outcomeEffects,
  runSaga,
  type SagaAnswer,
  type SagaCall,
  type SagaEnd,
} from './payment-saga.ts';

const START = 1_000_000;
const TERMS = { payBy: START + 60_000, attemptsMax: 4, backoff: { firstMs: 500, maxMs: 8_000 } };

/** What follows from answers of the gateway: the next call, or the verdict. */
async function run(answers: readonly SagaAnswer[], now = START): Promise<SagaCall | SagaEnd> {
  const left = [...answers];
  const next = Promise.withResolvers<SagaCall>();
  const call = (asked: SagaCall): Promise<SagaAnswer> => {
    const answer = left.shift();
    if (answer) return Promise.resolve(answer);
    next.resolve(asked);
    return new Promise(() => undefined);
  };
  const step = await Promise.race([next.promise, runSaga(TERMS, now, call)]);
  expect(left).toEqual([]);
  return step;
}

const authorized = { kind: 'authorized', reference: 'pay-1', now: START } as const;
const voidedMeanwhile = { kind: 'voided' } as const;
const failed = { kind: 'failed', now: START, random: 0 } as const;

describe('payment saga', () => {
  it('[P2] authorizes, captures, settles, and applies the outcome', async () => {
    expect(await run([])).toEqual({ kind: 'authorize', attempt: 1, afterMs: 0, reference: '' });
    expect(await run([authorized])).toEqual({ kind: 'capture', attempt: 1, afterMs: 0, reference: 'pay-1' });
    expect(await run([authorized, { kind: 'captured' }])).toEqual({
      status: 'confirmed',
      reason: '',
      paymentReference: 'pay-1',
    });
    expect(outcomeEffects('confirmed')).toEqual(['apply-to-seats', 'finish-visit']);
  });

  it('[P2] a bank that says no: declined with its reason, nothing to void', async () => {
    const declined = { kind: 'declined', reason: 'card-declined' } as const;
    expect(await run([declined])).toEqual({
      status: 'declined',
      reason: 'card-declined',
      paymentReference: '',
    });
    expect(outcomeEffects('declined')).toEqual(['apply-to-seats']);
  });

  it('[P2] voided by another process meanwhile: it has its end, and nothing more is asked for', async () => {
    for (const answers of [[voidedMeanwhile], [authorized, voidedMeanwhile]]) {
      expect(await run(answers)).toEqual({
        status: 'voided',
        reason: 'payment-failed',
        paymentReference: '',
      });
    }
  });

  it('[P2] a reason cut within a character, or with half of one, is text all the same', async () => {
    for (const reason of [`${'x'.repeat(79)}🎟`, 'half \ud83c of it']) {
      const step = await run([{ kind: 'declined', reason }]);
      expect('reason' in step && step.reason.isWellFormed()).toBe(true);
    }
  });

  it('[P7] a reason of any length fits', async () => {
    const step = await run([{ kind: 'declined', reason: 'x'.repeat(500) }]);
    expect('reason' in step && step.reason).toHaveLength(80);
  });

  it('[P7] a call without an answer is tried again, later each time, then the order is voided', async () => {
    expect(await run([failed])).toEqual({ kind: 'authorize', attempt: 2, afterMs: 250, reference: '' });
    expect(await run([failed, failed])).toEqual({
      kind: 'authorize',
      attempt: 3,
      afterMs: 500,
      reference: '',
    });
    expect(await run([failed, failed, failed])).toEqual({
      kind: 'authorize',
      attempt: 4,
      afterMs: 1_000,
      reference: '',
    });
    expect(await run([failed, failed, failed, failed])).toEqual({
      status: 'voided',
      reason: 'payment-timeout',
      paymentReference: '',
    });
  });

  it('[P2] a capture that never answers is voided with its reference, after the verdict is written', async () => {
    expect(await run([authorized, failed, failed, failed, failed])).toEqual({
      status: 'voided',
      reason: 'payment-timeout',
      paymentReference: 'pay-1',
    });
    expect(outcomeEffects('voided')).toEqual(['apply-to-seats', 'void-payment']);
  });

  it('[P2] nothing is asked of the gateway once the payment deadline has passed', async () => {
    const late = { status: 'voided', reason: 'payment-deadline' } as const;
    expect(await run([], TERMS.payBy)).toEqual({ ...late, paymentReference: '' });
    expect(await run([{ ...authorized, now: TERMS.payBy }])).toEqual({ ...late, paymentReference: 'pay-1' });
    expect(await run([{ ...failed, now: TERMS.payBy - 100 }])).toMatchObject({
      ...late,
      reason: 'payment-timeout',
    });
  });

  it('an answer out of place is a fault of the program', async () => {
    await expect(run([{ kind: 'captured' }])).rejects.toThrow("authorize can't be answered captured");
    await expect(run([authorized, authorized])).rejects.toThrow();
  });
});

/** How one call to the payment gateway goes. */
type CallFate = 'answered' | 'lost before' | 'lost after';

interface Luck {
  readonly bankSaysYes: boolean;
  readonly calls: readonly CallFate[];
  /** Milliseconds that each call, or the way back from a death, takes. */
  readonly times: readonly number[];
  /** The process dies before carrying out the effect of these numbers. */
  readonly deaths: readonly number[];
  readonly seatsTaken: boolean;
  readonly random: number;
}

/** The process is gone; whatever it had not done yet is for the next one. */
class Death extends Error {}

const EFFECTS_MAX = 200;

/** The world around the saga, which outlives processes: the gateway's books, the database, the clock. */
class World {
  readonly luck: Luck;
  now = START;
  captures = 0;
  chargedLate = false;
  charged = false;
  voided = false;
  outcome: Order['status'] | null = null;
  outcomes = 0;
  appliedTo: Order['status'] | null = null;
  #effects = 0;
  #calls = 0;

  constructor(luck: Luck) {
    this.luck = luck;
  }

  call(call: SagaCall): SagaAnswer {
    this.#mayDie();
    this.chargedLate ||= call.kind === 'capture' && this.now + call.afterMs >= TERMS.payBy;
    this.now += call.afterMs;
    this.passTime();
    const fate = this.luck.calls[this.#calls++ % this.luck.calls.length];
    const failed: SagaAnswer = { kind: 'failed', now: this.now, random: this.luck.random };
    if (fate === 'lost before') return failed;
    const answer = call.kind === 'capture' ? this.#capture() : this.#authorize();
    return fate === 'answered' ? answer : failed;
  }

  settle({ status }: SagaEnd): Order['status'] {
    this.#mayDie();
    if (this.outcome === null) this.outcomes += 1;
    this.outcome ??= status === 'confirmed' && this.luck.seatsTaken ? 'voided' : status;
    return this.outcome;
  }

  carryOut(effect: OutcomeEffect): void {
    this.#mayDie();
    if (effect === 'apply-to-seats') this.appliedTo = this.outcome;
    if (effect !== 'void-payment') return;
    this.charged = false;
    this.voided = true;
  }

  passTime(): void {
    this.now += this.luck.times[this.#effects % this.luck.times.length] ?? 0;
  }

  #mayDie(): void {
    expect(this.#effects).toBeLessThan(EFFECTS_MAX);
    if (this.luck.deaths.includes(this.#effects++)) throw new Death();
  }

  #authorize(): SagaAnswer {
    return this.luck.bankSaysYes
      ? { kind: 'authorized', reference: 'pay-1', now: this.now }
      : { kind: 'declined', reason: 'card-declined' };
  }

  /** The gateway knows the order: a repeated capture charges nothing more, and a voided one can't be. */
  #capture(): SagaAnswer {
    if (!this.charged && !this.voided) this.captures += 1;
    if (!this.voided) this.charged = true;
    return { kind: 'captured' };
  }
}

/**
 * Runs an order from its delivery to its end, as the worker does; dies where luck says so and is delivered again. A
 * final order is not paid again: the outbox holds what it still asks for.
 */
async function liveThrough(world: World): Promise<void> {
  const call = async (asked: SagaCall): Promise<SagaAnswer> => world.call(asked);
  for (;;) {
    try {
      const status = world.outcome ?? world.settle(await runSaga(TERMS, world.now, call));
      for (const effect of outcomeEffects(status)) world.carryOut(effect);
      return;
    } catch (cause) {
      if (!(cause instanceof Death)) throw cause;
      // A death costs time too: the next delivery comes later.
      world.passTime();
    }
  }
}

const luck: fc.Arbitrary<Luck> = fc.record({
  bankSaysYes: fc.boolean(),
  calls: fc.array(fc.constantFrom<CallFate>('answered', 'answered', 'lost before', 'lost after'), {
    minLength: 1,
  }),
  times: fc.array(fc.nat(15_000), { minLength: 1 }),
  deaths: fc.uniqueArray(fc.nat(12), { maxLength: 6 }),
  seatsTaken: fc.boolean(),
  random: fc.double({ min: 0, max: 0.999, noNaN: true }),
});

describe('payment saga in any weather', () => {
  it('[P2] ends in exactly one outcome, charged if and only if confirmed, at most once', async () => {
    await fc.assert(
      fc.asyncProperty(luck, async (fate) => {
        const world = new World(fate);
        await liveThrough(world);
        expect(world.outcomes).toBe(1);
        expect(world.appliedTo).toBe(world.outcome);
        expect(world.charged).toBe(world.outcome === 'confirmed');
        expect(world.captures).toBeLessThanOrEqual(1);
        expect(world.chargedLate).toBe(false);
        if (!fate.bankSaysYes) expect(world.outcome).not.toBe('confirmed');
        if (fate.seatsTaken) expect(world.outcome).not.toBe('confirmed');
      }),
      { numRuns: 2_000 },
    );
  });
});
