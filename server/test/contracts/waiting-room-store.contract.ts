import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { networkTag, type SessionId } from '../../src/platform/ids.ts';
import { drawScore, LATE_SCORE_MIN, lateScore } from '../../src/waiting-room/draw-score.ts';
import type { WaitingRoomRules } from '../../src/waiting-room/waiting-room-store.ts';
import { anyInterleaving, runAgainstModel } from './waiting-room-interleaving.ts';
import { describeLoss } from './waiting-room-loss-rules.ts';
import { describePresence } from './waiting-room-presence-rules.ts';
import { describeTime, describeVisits } from './waiting-room-time-rules.ts';
import {
  DRAW_SEED,
  freshRules,
  GRACE_MS,
  LIFETIME_MS,
  OPENS_AT,
  sessions,
  type WaitingRoomUnderTest,
} from './waiting-room-under-test.ts';

const [anna, ben, cleo] = sessions(3) as [SessionId, SessionId, SessionId];

/**
 * The rules of a `WaitingRoomStore`, to be run on every adapter. `runs`: sequences that the property test tries;
 * fewer where each step is a network call. All instants lie in the future, so that a store that lets keys expire
 * by its own clock keeps them.
 */
export function describeWaitingRoomStore(
  name: string,
  makeStore: () => Promise<WaitingRoomUnderTest>,
  runs = 300,
): void {
  describe(`waiting room store: ${name}`, () => {
    let room: WaitingRoomUnderTest;
    beforeAll(async () => {
      room = await makeStore();
    });
    afterAll(async () => room.close());

    describePlaces(() => room);
    describeAdmission(() => room);
    describePresence(() => room);
    describeTime(() => room);
    describeVisits(() => room);
    describeLoss(() => room);

    test(`[P4] any interleaving does exactly what the plain model does`, async () => {
      await fc.assert(
        fc.asyncProperty(anyInterleaving, async ({ steps, rules }) =>
          runAgainstModel(room, freshRules(rules), steps),
        ),
        { numRuns: runs, endOnFailure: true },
      );
    });
  });
}

function describePlaces(room: () => WaitingRoomUnderTest): void {
  test('who never joined is outside', async () => {
    const rules = freshRules();
    expect(await room().at(OPENS_AT).standing(rules, anna)).toEqual({
      state: 'outside',
      reason: 'not-joined',
    });
  });

  test('before the opening the score is the draw and nobody is told a rank', async () => {
    const rules = freshRules();
    const joined = await room()
      .at(OPENS_AT - 1)
      .join(rules, anna);
    const score = drawScore(DRAW_SEED, anna);
    expect(joined).toMatchObject({ ok: true, value: { state: 'waiting', ahead: null, score } });
    expect(
      await room()
        .at(OPENS_AT - 1)
        .ranks(rules, [anna]),
    ).toEqual({
      drawn: false,
      admitted: 0,
      waiting: 1,
      ahead: [null],
    });
  });

  test('the order at the opening is that of the draw, whoever came first', async () => {
    const rules = freshRules();
    const all = sessions(50);
    for (const session of all)
      await room()
        .at(OPENS_AT - 1_000)
        .join(rules, session);
    const drawn = all.toSorted((a, b) => drawScore(DRAW_SEED, a) - drawScore(DRAW_SEED, b));
    const ranks = await room().at(OPENS_AT).ranks(rules, drawn);
    expect(ranks).toEqual({ drawn: true, waiting: 50, admitted: 0, ahead: drawn.map((_, index) => index) });
  });

  test('12.4 from the opening on it is first come, first served, behind the whole draw', async () => {
    const rules = freshRules();
    await room()
      .at(OPENS_AT - 1)
      .join(rules, cleo);
    await room().at(OPENS_AT).join(rules, ben);
    const last = await room().at(OPENS_AT).join(rules, anna);
    expect(last).toMatchObject({ ok: true, value: { state: 'waiting', ahead: 2, score: lateScore(1) } });
    expect((await room().at(OPENS_AT).ranks(rules, [cleo, ben, anna])).ahead).toEqual([0, 1, 2]);
  });

  test('[P4] a clock that is set back lets nobody into the draw any more', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).standing(rules, anna);
    const joined = await room()
      .at(OPENS_AT - 50)
      .join(rules, ben);
    expect(joined).toMatchObject({ value: { state: 'waiting', ahead: 0, score: LATE_SCORE_MIN } });
  });

  test('[P4] a second tab gets the place that the session has', async () => {
    const rules = freshRules();
    const first = await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).join(rules, ben);
    expect(
      await room()
        .at(OPENS_AT + 5_000)
        .join(rules, anna),
    ).toEqual(first);
    expect((await room().at(OPENS_AT).ranks(rules, [anna, ben])).waiting).toBe(2);
  });

  test('[P4] joining again while admitted changes nothing', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).admit(rules);
    const again = await room()
      .at(OPENS_AT + 1)
      .join(rules, anna);
    expect(again).toEqual({ ok: true, value: { state: 'admitted', deadline: OPENS_AT + LIFETIME_MS } });
  });

  test('[P4] who left and joins again starts anew at the end', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).join(rules, ben);
    expect(await room().at(OPENS_AT).leave(rules, anna)).toEqual({
      state: 'outside',
      reason: 'left',
    });
    expect(await room().at(OPENS_AT).join(rules, anna)).toMatchObject({ value: { ahead: 1 } });
    expect((await room().at(OPENS_AT).ranks(rules, [ben])).ahead).toEqual([0]);
  });

  test('[P7] 7.24 a full queue refuses, and takes the next once somebody left', async () => {
    const rules = freshRules({ queueMax: 2 });
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).join(rules, ben);
    expect(await room().at(OPENS_AT).join(rules, cleo)).toMatchObject({ ok: false, code: 'queue-full' });
    expect(await room().at(OPENS_AT).join(rules, anna)).toMatchObject({ ok: true });
    await room().at(OPENS_AT).leave(rules, ben);
    expect(await room().at(OPENS_AT).join(rules, cleo)).toMatchObject({ ok: true });
  });

  test('[P7] 7.26 a network takes as many places as it may, and gets back what its buyers give up', async () => {
    const rules = freshRules({ placesPerNetworkMax: 2 });
    const here = { network: networkTag('here') };
    const [anna, ben, cleo, dora] = sessions(4) as [SessionId, SessionId, SessionId, SessionId];
    const { at } = room();
    await at(OPENS_AT).join(rules, anna, here);
    await at(OPENS_AT).join(rules, ben, here);
    expect(await at(OPENS_AT).join(rules, cleo, here)).toMatchObject({ ok: false, code: 'network-full' });
    expect(await at(OPENS_AT).standing(rules, cleo)).toMatchObject({ state: 'outside' });
    // Others go on joining, and who has a place keeps it, on which network they may be.
    expect(await at(OPENS_AT).join(rules, dora, { network: networkTag('there') })).toMatchObject({
      ok: true,
    });
    expect(await at(OPENS_AT).join(rules, dora, here)).toMatchObject({ ok: true });
    expect(await at(OPENS_AT).join(rules, anna, here)).toMatchObject({ ok: true });
    // An admission is as good as a place.
    await at(OPENS_AT).admit({ ...rules, admissionBurst: 1 });
    expect(await at(OPENS_AT).join(rules, cleo, here)).toMatchObject({ code: 'network-full' });
    await at(OPENS_AT).finish(rules, anna, OPENS_AT);
    expect(await at(OPENS_AT).join(rules, cleo, here)).toMatchObject({ ok: true });
    await at(OPENS_AT).leave(rules, cleo);
    expect(await at(OPENS_AT).join(rules, cleo, here)).toMatchObject({ ok: true });
  });

  test('[P7] places of a network that ran out do not fill its share, swept or not', async () => {
    const rules = freshRules({ placesPerNetworkMax: 1 });
    const here = { network: networkTag('here') };
    const { at } = room();
    await at(OPENS_AT).join(rules, anna, here);
    await at(OPENS_AT).setPresent(rules, [anna], false);
    expect(await at(OPENS_AT + GRACE_MS).join(rules, ben, here)).toMatchObject({ ok: true });
    await at(OPENS_AT + GRACE_MS).admit(rules);
    const over = OPENS_AT + GRACE_MS + LIFETIME_MS;
    expect(await at(over).join(rules, cleo, here)).toMatchObject({ ok: true });
  });

  test('[P7] places that ran out do not fill the queue, swept or not', async () => {
    const rules = freshRules({ queueMax: 1 });
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    const joined = await room()
      .at(OPENS_AT + GRACE_MS)
      .join(rules, ben);
    expect(joined).toMatchObject({ ok: true, value: { ahead: 0 } });
  });

  test('leaving is told in the feed once; leaving again says and does nothing new', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).admit(rules);
    await room().at(OPENS_AT).finish(rules, anna, OPENS_AT);
    expect(await room().at(OPENS_AT).leave(rules, anna)).toEqual({
      state: 'outside',
      reason: 'finished',
    });
    expect((await room().notices(rules.show)).slice(1)).toEqual([
      { kind: 'outside', session: anna, reason: 'finished' },
    ]);
  });

  test('[P4] what is asked at once is decided in the order asked, and one refusal is nobody else’s', async () => {
    const rules = freshRules({ queueMax: 2 });
    const { at } = room();
    const answers = await Promise.all([
      at(OPENS_AT).join(rules, anna),
      at(OPENS_AT).join(rules, ben),
      at(OPENS_AT).join(rules, cleo),
      at(OPENS_AT).leave(rules, anna),
      at(OPENS_AT).join(rules, cleo),
      at(OPENS_AT).join(rules, ben),
      at(OPENS_AT).standing(rules, anna),
    ]);
    expect(answers).toMatchObject([
      { value: { state: 'waiting', ahead: 0 } },
      { value: { state: 'waiting', ahead: 1 } },
      { ok: false, code: 'queue-full' },
      { state: 'outside', reason: 'left' },
      { value: { state: 'waiting', ahead: 1 } },
      { value: { state: 'waiting', ahead: 0 } },
      { state: 'outside', reason: 'left' },
    ]);
    expect(await room().notices(rules.show)).toEqual([{ kind: 'outside', session: anna, reason: 'left' }]);
  });

  test('[P7] a crowd that joins in one moment is taken in the order it came', async () => {
    const rules = freshRules();
    const crowd = sessions(600);
    const answers = await Promise.all(crowd.map((session) => room().at(OPENS_AT).join(rules, session)));
    expect(answers.map((answer) => answer.ok && answer.value)).toMatchObject(
      crowd.map((_, index) => ({ state: 'waiting', ahead: index, score: lateScore(index) })),
    );
  });

  test('[P6] shows know nothing of one another', async () => {
    const [here, there] = [freshRules(), freshRules()];
    await room().at(OPENS_AT).join(here, anna);
    await room().at(OPENS_AT).admit(here);
    expect(await room().at(OPENS_AT).standing(there, anna)).toMatchObject({ state: 'outside' });
    expect(await room().isAdmitted(there.show, anna, OPENS_AT)).toBe(false);
    expect(await room().notices(there.show)).toEqual([]);
  });
}

function describeAdmission(room: () => WaitingRoomUnderTest): void {
  const joinAll = async (rules: WaitingRoomRules, all: readonly SessionId[]) => {
    for (const session of all) await room().at(OPENS_AT).join(rules, session);
  };

  test('nobody is let in before the opening', async () => {
    const rules = freshRules();
    await room()
      .at(OPENS_AT - 60_000)
      .join(rules, anna);
    expect(
      await room()
        .at(OPENS_AT - 1)
        .admit(rules),
    ).toBe(0);
    expect(await room().at(OPENS_AT).admit(rules)).toBe(1);
  });

  test('the bucket starts full at the opening and then gives its rate, from the head', async () => {
    const rules = freshRules();
    const all = sessions(20);
    await joinAll(rules, all);
    expect(await room().at(OPENS_AT).admit(rules)).toBe(5);
    expect(await room().at(OPENS_AT).admit(rules)).toBe(0);
    expect(
      await room()
        .at(OPENS_AT + 99)
        .admit(rules),
    ).toBe(0);
    expect(
      await room()
        .at(OPENS_AT + 100)
        .admit(rules),
    ).toBe(1);
    expect(
      await room()
        .at(OPENS_AT + 60_000)
        .admit(rules),
    ).toBe(5);
    expect((await room().at(OPENS_AT).ranks(rules, all)).ahead.indexOf(0)).toBe(11);
  });

  test('two nodes that admit at once together keep the limits', async () => {
    const rules = freshRules();
    await joinAll(rules, sessions(20));
    const counts = await Promise.all([1, 2, 3, 4].map(async () => room().at(OPENS_AT).admit(rules)));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  });

  test('the cap holds, and a slot that comes back goes to the next at once', async () => {
    const rules = freshRules({ admittedMax: 2 });
    await joinAll(rules, [anna, ben, cleo]);
    expect(await room().at(OPENS_AT).admit(rules)).toBe(2);
    expect(
      await room()
        .at(OPENS_AT + 10_000)
        .admit(rules),
    ).toBe(0);
    await room()
      .at(OPENS_AT + 10_000)
      .finish(rules, ben, OPENS_AT + 10_000);
    const later = room().at(OPENS_AT + 10_000);
    expect((await later.ranks(rules, [])).admitted).toBe(1);
    expect(
      await room()
        .at(OPENS_AT + 10_000)
        .admit(rules),
    ).toBe(1);
    expect(await room().isAdmitted(rules.show, cleo, OPENS_AT + 10_000)).toBe(true);
  });

  test('an admission ends at its deadline, not after it, swept or not', async () => {
    const rules = freshRules({ admittedMax: 1 });
    await joinAll(rules, [anna, ben]);
    await room().at(OPENS_AT).admit(rules);
    const deadline = OPENS_AT + LIFETIME_MS;
    expect(
      await room()
        .at(deadline - 1)
        .standing(rules, anna),
    ).toEqual({ state: 'admitted', deadline });
    expect(await room().isAdmitted(rules.show, anna, deadline - 1)).toBe(true);
    expect(await room().isAdmitted(rules.show, anna, deadline)).toBe(false);
    expect(await room().at(deadline).standing(rules, anna)).toEqual({
      state: 'outside',
      reason: 'expired',
    });
    expect((await room().at(deadline).ranks(rules, [])).admitted).toBe(0);
    expect(await room().at(deadline).admit(rules)).toBe(1);
    expect(await room().at(deadline).expire(rules)).toBe(1);
    expect(await room().at(deadline).expire(rules)).toBe(0);
  });

  test('who is let in and who runs out is in the feed, in order', async () => {
    const rules = freshRules({ admissionBurst: 2 });
    await joinAll(rules, [anna, ben]);
    await room().at(OPENS_AT).admit(rules);
    const deadline = OPENS_AT + LIFETIME_MS;
    await room().at(OPENS_AT).leave(rules, ben);
    await room().at(deadline).expire(rules);
    expect(await room().notices(rules.show)).toEqual([
      {
        kind: 'admitted',
        admissions: [
          { session: anna, deadline },
          { session: ben, deadline },
        ],
      },
      { kind: 'outside', session: ben, reason: 'left' },
      { kind: 'outside', session: anna, reason: 'expired' },
    ]);
  });

  test('rules may change during the sale: less takes nothing away, more lets more in', async () => {
    const rules = freshRules({ admittedMax: 3 });
    await joinAll(rules, sessions(10));
    await room().at(OPENS_AT).admit(rules);
    expect(
      await room()
        .at(OPENS_AT + 1_000)
        .admit({ ...rules, admittedMax: 1 }),
    ).toBe(0);
    const later = room().at(OPENS_AT + 1_000);
    expect((await later.ranks(rules, [])).admitted).toBe(3);
    expect(
      await room()
        .at(OPENS_AT + 1_000)
        .admit({ ...rules, admittedMax: 5 }),
    ).toBe(2);
  });
}
