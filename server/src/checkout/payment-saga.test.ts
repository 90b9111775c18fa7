import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginSaga,
  type SagaEffect,
  type SagaInput,
  type SagaStep,
  type SettledStatus,
  stepSaga,
} from './payment-saga.ts';

const START = 1_000_000;
const TERMS = { payBy: START + 60_000, attemptsMax: 4, backoff: { firstMs: 500, maxMs: 8_000 } };

function run(inputs: readonly SagaInput[], now = START): SagaStep {
  return inputs.reduce((step, input) => stepSaga(TERMS, step.state, input), beginSaga(TERMS, now));
}

const authorized = { kind: 'authorized', reference: 'pay-1', now: START } as const;
const voidedMeanwhile = { kind: 'voided' } as const;
const failed = { kind: 'failed', now: START, random: 0 } as const;

describe('payment saga', () => {
  it('[P2] authorizes, captures, settles, and applies the outcome', () => {
    expect(run([]).effects).toEqual([{ kind: 'authorize', afterMs: 0 }]);
    expect(run([authorized]).effects).toEqual([{ kind: 'capture', afterMs: 0, reference: 'pay-1' }]);
    expect(run([authorized, { kind: 'captured' }]).effects).toEqual([
      { kind: 'settle', status: 'confirmed', reason: '', reference: 'pay-1' },
    ]);
    const settled = { kind: 'settled', status: 'confirmed' } as const;
    expect(run([authorized, { kind: 'captured' }, settled]).effects).toEqual([
      { kind: 'apply-to-seats' },
      { kind: 'finish-visit' },
    ]);
  });

  it('[P2] a bank that says no: declined with its reason, nothing to void', () => {
    const declined = { kind: 'declined', reason: 'card-declined' } as const;
    expect(run([declined]).effects).toEqual([
      { kind: 'settle', status: 'declined', reason: 'card-declined', reference: '' },
    ]);
    expect(run([declined, { kind: 'settled', status: 'declined' }]).effects).toEqual([
      { kind: 'apply-to-seats' },
    ]);
  });

  it('[P2] voided by another process meanwhile: it has its end, and nothing more is asked for', () => {
    for (const inputs of [[voidedMeanwhile], [authorized, voidedMeanwhile]]) {
      expect(run(inputs).effects).toEqual([
        { kind: 'settle', status: 'voided', reason: 'payment-failed', reference: '' },
      ]);
    }
  });

  it('[P2] a reason cut within a character, or with half of one, is text all the same', () => {
    for (const reason of [`${'x'.repeat(79)}🎟`, 'half \ud83c of it']) {
      const [effect] = run([{ kind: 'declined', reason }]).effects;
      expect(effect?.kind === 'settle' && effect.reason.isWellFormed()).toBe(true);
    }
  });

  it('[P7] a reason of any length fits', () => {
    const [effect] = run([{ kind: 'declined', reason: 'x'.repeat(500) }]).effects;
    expect(effect?.kind === 'settle' && effect.reason).toHaveLength(80);
  });

  it('[P7] a call without an answer is tried again, later each time, then the order is voided', () => {
    expect(run([failed]).effects).toEqual([{ kind: 'authorize', afterMs: 250 }]);
    expect(run([failed, failed]).effects).toEqual([{ kind: 'authorize', afterMs: 500 }]);
    expect(run([failed, failed, failed]).effects).toEqual([{ kind: 'authorize', afterMs: 1_000 }]);
    expect(run([failed, failed, failed, failed]).effects).toEqual([
      { kind: 'settle', status: 'voided', reason: 'payment-timeout', reference: '' },
    ]);
  });

  it('[P2] a capture that never answers is voided with its reference, after the verdict is written', () => {
    const verdict = run([authorized, failed, failed, failed, failed]);
    expect(verdict.effects).toEqual([
      { kind: 'settle', status: 'voided', reason: 'payment-timeout', reference: 'pay-1' },
    ]);
    const { effects } = stepSaga(TERMS, verdict.state, { kind: 'settled', status: 'voided' });
    expect(effects).toEqual([{ kind: 'apply-to-seats' }, { kind: 'void-payment' }]);
  });

  it('[P1] a captured payment whose seats somebody else owns is voided', () => {
    const lost = run([authorized, { kind: 'captured' }, { kind: 'settled', status: 'voided' }]);
    expect(lost.effects).toContainEqual({ kind: 'void-payment' });
  });

  it('[P2] nothing is asked of the gateway once the payment deadline has passed', () => {
    expect(run([], TERMS.payBy).effects).toEqual([
      { kind: 'settle', status: 'voided', reason: 'payment-deadline', reference: '' },
    ]);
    expect(run([{ ...authorized, now: TERMS.payBy }]).effects).toEqual([
      { kind: 'settle', status: 'voided', reason: 'payment-deadline', reference: 'pay-1' },
    ]);
    expect(run([{ ...failed, now: TERMS.payBy - 100 }]).effects).toMatchObject([
      { kind: 'settle', status: 'voided', reason: 'payment-timeout' },
    ]);
  });

  it('an input out of place is a fault of the program', () => {
    expect(() => run([{ kind: 'captured' }])).toThrow("authorizing can't be captured");
    expect(() => run([authorized, authorized])).toThrow();
    expect(() => run([{ kind: 'settled', status: 'confirmed' }])).toThrow();
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

/** The world around the saga, which outlives processes: the gateway's books, the database, the clock. */
class World {
  readonly luck: Luck;
  now = START;
  effectsRun = 0;
  #calls = 0;
  captures = 0;
  chargedLate = false;
  charged = false;
  voided = false;
  outcome: SettledStatus | null = null;
  outcomes = 0;
  appliedTo: SettledStatus | null = null;

  constructor(luck: Luck) {
    this.luck = luck;
  }

  /** Carries out an effect and returns what the saga hears of it. */
  run(effect: SagaEffect): SagaInput | null {
    switch (effect.kind) {
      case 'authorize':
        return this.#call(effect.afterMs, () =>
          this.luck.bankSaysYes
            ? { kind: 'authorized', reference: 'pay-1', now: this.now }
            : { kind: 'declined', reason: 'card-declined' },
        );
      case 'capture':
        this.chargedLate ||= this.now + effect.afterMs >= TERMS.payBy;
        return this.#call(effect.afterMs, () => {
          // The gateway knows the order: a repeated capture charges nothing more, and a voided one can't be.
          if (!this.charged && !this.voided) this.captures += 1;
          if (!this.voided) this.charged = true;
          return { kind: 'captured' };
        });
      case 'settle': {
        const seatsTaken = effect.status === 'confirmed' && this.luck.seatsTaken;
        if (this.outcome === null) this.outcomes += 1;
        this.outcome ??= seatsTaken ? 'voided' : effect.status;
        return { kind: 'settled', status: this.outcome };
      }
      case 'void-payment':
        this.charged = false;
        this.voided = true;
        return null;
      case 'apply-to-seats':
        this.appliedTo = this.outcome;
        return null;
      case 'finish-visit':
        return null;
    }
  }

  /** A death costs time too: the next delivery comes later. */
  passTime(): void {
    this.now += this.luck.times[this.effectsRun % this.luck.times.length] ?? 0;
  }

  #call(afterMs: number, answer: () => SagaInput): SagaInput {
    this.now += afterMs;
    this.passTime();
    const fate = this.luck.calls[this.#calls++ % this.luck.calls.length];
    if (fate === 'lost before') return { kind: 'failed', now: this.now, random: this.luck.random };
    const said = answer();
    return fate === 'answered' ? said : { kind: 'failed', now: this.now, random: this.luck.random };
  }
}

const EFFECTS_MAX = 200;

/** Runs an order from its delivery on; dies where luck says so and is delivered again, as the log and outbox do. */
function liveThrough(world: World): void {
  let step = beginSaga(TERMS, world.now);
  let todo = [...step.effects];
  for (let effect = todo.shift(); effect; effect = todo.shift()) {
    expect(world.effectsRun).toBeLessThan(EFFECTS_MAX);
    if (world.luck.deaths.includes(world.effectsRun++)) {
      world.passTime();
      // A final order is not paid again: the outbox holds what it still asks for.
      step =
        world.outcome === null
          ? beginSaga(TERMS, world.now)
          : stepSaga(TERMS, { step: 'settling' }, { kind: 'settled', status: world.outcome });
      todo = [...step.effects];
      continue;
    }
    const input = world.run(effect);
    if (!input) continue;
    step = stepSaga(TERMS, step.state, input);
    todo = [...todo, ...step.effects];
  }
  expect(step.state.step).toBe('settled');
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
  it('[P2] ends in exactly one outcome, charged if and only if confirmed, at most once', () => {
    fc.assert(
      fc.property(luck, (fate) => {
        const world = new World(fate);
        liveThrough(world);
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
