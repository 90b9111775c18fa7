import fc from 'fast-check';
import { expect } from 'vitest';
import type { WaitingRoomRules, WaitingRoomStore } from '../../src/waiting-room/waiting-room-store.ts';
import { type Step, WaitingRoomModel } from './waiting-room-model.ts';
import { OPENS_AT, sessions, type WaitingRoomUnderTest } from './waiting-room-under-test.ts';

const CAST = sessions(4);

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('join', 'join', 'leave', 'come', 'go', 'admit', 'admit', 'expire'),
  session: fc.constantFrom(...CAST),
  afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 900 }), fc.constantFrom(2_000, 3_000, 9_000)),
});

const anyRules = fc.record({
  admissionsPerSecond: fc.constantFrom(0.5, 1, 3),
  admissionBurst: fc.integer({ min: 1, max: 3 }),
  admittedMax: fc.integer({ min: 1, max: 3 }),
  admissionLifetimeMs: fc.constantFrom(4_000, 9_000),
  graceMs: fc.constantFrom(2_000, 5_000),
  claimMs: fc.constantFrom(1_000, 3_000),
  queueMax: fc.integer({ min: 2, max: 4 }),
});

/** Any sequence of steps under any small rules: small, so that the limits are met all the time. */
export const anyInterleaving = fc.record({
  steps: fc.array(anyStep, { minLength: 1, maxLength: 60 }),
  rules: anyRules,
});

/** Does the steps in the store and in the model, and compares all that can be seen after each. */
export async function runAgainstModel(
  room: WaitingRoomUnderTest,
  rules: WaitingRoomRules,
  steps: readonly Step[],
): Promise<void> {
  const model = new WaitingRoomModel(rules);
  let now = OPENS_AT - 3_000;
  for (const together of momentsOf(steps)) {
    now += together[0].afterMs;
    await Promise.all(together.map((step) => take(room.at(now), rules, step)));
    for (const step of together) model.apply(step, now);

    const standings = await Promise.all(CAST.map((session) => room.at(now).standing(rules, session)));
    for (const [index, session] of CAST.entries()) {
      const standing = standings[index]!;
      const { room: _, ...known } = { room: '', ...standing };
      expect(known, `nobody is lost: ${session}`).toEqual(model.standing(session, now));
      expect(await room.isAdmitted(rules.show, session, now)).toBe(standing.state === 'admitted');
    }
    const { waiting, admitted } = await room.at(now).ranks(rules, []);
    expect(waiting).toBe(model.waiting);
    expect(admitted).toBe(model.admittedCount(now));
    expect(admitted).toBeLessThanOrEqual(rules.admittedMax);
  }
  expectFairAdmissions(rules, model);
  await expectNoticesOf(room, rules, model);
}

function take(store: WaitingRoomStore, rules: WaitingRoomRules, { kind, session }: Step): Promise<unknown> {
  switch (kind) {
    case 'join':
      return store.join(rules, session);
    case 'leave':
      return store.leave(rules, session);
    case 'come':
    case 'go':
      return store.setPresent(rules, [session], kind === 'come');
    case 'admit':
      return store.admit(rules);
    case 'expire':
      return store.expire(rules);
  }
}

/** What buyers do one right after the other is asked for at once; everything else is awaited by itself. */
function momentsOf(steps: readonly Step[]): readonly (readonly [Step, ...Step[]])[] {
  const moments: [Step, ...Step[]][] = [];
  for (const step of steps) {
    const last = moments.at(-1);
    if (last && step.afterMs === 0 && isBuyers(step) && isBuyers(last[0])) last.push(step);
    else moments.push([step]);
  }
  return moments;
}

function isBuyers({ kind }: Step): boolean {
  return kind !== 'admit' && kind !== 'expire';
}

/** The model itself is held against the promises, so that an error in it can't hide the same one in a store. */
function expectFairAdmissions(rules: WaitingRoomRules, model: WaitingRoomModel): void {
  const { admissions } = model;
  for (const [index, first] of admissions.entries()) {
    for (const [more, last] of admissions.slice(index).entries()) {
      const seconds = (last.at - first.at) / 1_000;
      expect(more + 1, 'burst and rate').toBeLessThanOrEqual(
        rules.admissionBurst + rules.admissionsPerSecond * seconds + 1e-6,
      );
      if (last.at === first.at) expect(last.score, 'score order').toBeGreaterThanOrEqual(first.score);
    }
  }
}

async function expectNoticesOf(
  room: WaitingRoomUnderTest,
  rules: WaitingRoomRules,
  model: WaitingRoomModel,
): Promise<void> {
  const notices = await room.notices(rules.show);
  const ended = notices.filter((notice) => notice.kind === 'outside');
  const byName = (a: { session: string }, b: { session: string }) => (a.session < b.session ? -1 : 1);
  const told = ended.map(({ session, reason }) => ({ session, reason }));
  expect(told.sort(byName), 'everybody who fell out is told, once').toEqual(model.ended.toSorted(byName));
  const letIn = notices.flatMap((notice) => (notice.kind === 'admitted' ? notice.admissions : []));
  const names = new Set(letIn.map(({ session }) => session));
  expect(names, 'everybody let in is told').toEqual(new Set(model.admissions.map(({ session }) => session)));
}
