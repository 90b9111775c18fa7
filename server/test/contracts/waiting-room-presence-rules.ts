import { expect, test } from 'vitest';
import type { SessionId } from '../../src/platform/ids.ts';
import {
  CLAIM_MS,
  freshRules,
  GRACE_MS,
  LIFETIME_MS,
  OPENS_AT,
  sessions,
  type WaitingRoomUnderTest,
} from './waiting-room-under-test.ts';

const [anna, ben] = sessions(2) as [SessionId, SessionId];

/** What coming and going does to places and admissions. */
export function describePresence(room: () => WaitingRoomUnderTest): void {
  test('[P4] who comes back within the grace time keeps place and rank', async () => {
    const rules = freshRules();
    const joined = await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).join(rules, ben);
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    await room()
      .at(OPENS_AT + GRACE_MS - 1)
      .setPresent(rules, [anna], true);
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS)
        .expire(rules),
    ).toBe(0);
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS)
        .standing(rules, anna),
    ).toEqual(joined.ok && joined.value);
  });

  test('a place ends with the grace time, whatever was repeated meanwhile', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    await room()
      .at(OPENS_AT + GRACE_MS - 1)
      .setPresent(rules, [anna], false);
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS)
        .expire(rules),
    ).toBe(1);
    expect(await room().notices(rules.show)).toEqual([{ kind: 'outside', session: anna, reason: 'expired' }]);
  });

  test('[P4] whose socket goes and comes back in one moment is there; the other way round is away', async () => {
    const rules = freshRules();
    const { at } = room();
    await Promise.all([at(OPENS_AT).join(rules, anna), at(OPENS_AT).join(rules, ben)]);
    await Promise.all([
      at(OPENS_AT).setPresent(rules, [anna], false),
      at(OPENS_AT).setPresent(rules, [ben], true),
      at(OPENS_AT).setPresent(rules, [anna], true),
      at(OPENS_AT).setPresent(rules, [ben], false),
    ]);
    expect(await at(OPENS_AT + GRACE_MS).expire(rules)).toBe(1);
    const standings = [anna, ben].map((session) => at(OPENS_AT + GRACE_MS).standing(rules, session));
    expect(await Promise.all(standings)).toMatchObject([
      { state: 'waiting', ahead: 0 },
      { state: 'outside', reason: 'expired' },
    ]);
  });

  test('a crowd that went away is swept while those who stayed close up', async () => {
    const rules = freshRules();
    const all = sessions(100);
    for (const session of all) await room().at(OPENS_AT).join(rules, session);
    const stayed = all.filter((_, index) => index % 4 === 0);
    const gone = all.filter((session) => !stayed.includes(session));
    for (const session of gone) await room().at(OPENS_AT).setPresent(rules, [session], false);
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS)
        .expire(rules),
    ).toBe(75);
    const ranks = await room()
      .at(OPENS_AT + GRACE_MS)
      .ranks(rules, stayed);
    expect(ranks).toEqual({ drawn: true, waiting: 25, admitted: 0, ahead: stayed.map((_, index) => index) });
  });

  test('at the head, a place that ran out is passed over and costs no admission', async () => {
    const rules = freshRules({ admissionBurst: 1 });
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).join(rules, ben);
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS)
        .admit(rules),
    ).toBe(1);
    expect(await room().isAdmitted(rules.show, ben, OPENS_AT + GRACE_MS)).toBe(true);
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS)
        .standing(rules, anna),
    ).toMatchObject({
      reason: 'expired',
    });
  });

  test('admitted while away: a short claim, then the slot goes on', async () => {
    const rules = freshRules({ admittedMax: 1, graceMs: CLAIM_MS / 3 });
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).join(rules, ben);
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    await room().at(OPENS_AT).admit(rules);
    // The claim has its own length, whatever the grace time is and however often the absence is told.
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    await room()
      .at(OPENS_AT + CLAIM_MS - 1)
      .setPresent(rules, [anna], false);
    const claimed = await room().at(OPENS_AT).standing(rules, anna);
    expect(claimed).toEqual({ state: 'admitted', deadline: OPENS_AT + CLAIM_MS });
    expect(
      await room()
        .at(OPENS_AT + CLAIM_MS - 1)
        .admit(rules),
    ).toBe(0);
    expect(
      await room()
        .at(OPENS_AT + CLAIM_MS)
        .admit(rules),
    ).toBe(1);
    expect(await room().isAdmitted(rules.show, ben, OPENS_AT + CLAIM_MS)).toBe(true);
  });

  test('[P4] coming back turns a claim into a full admission, once, and the feed tells every tab', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    await room().at(OPENS_AT).admit(rules);
    await room()
      .at(OPENS_AT + 10_000)
      .setPresent(rules, [anna], true);
    const deadline = OPENS_AT + 10_000 + LIFETIME_MS;
    await room()
      .at(OPENS_AT + 20_000)
      .setPresent(rules, [anna], false);
    await room()
      .at(OPENS_AT + 30_000)
      .setPresent(rules, [anna], true);
    expect(
      await room()
        .at(OPENS_AT + 30_000)
        .standing(rules, anna),
    ).toEqual({
      state: 'admitted',
      deadline,
    });
    expect(await room().notices(rules.show)).toEqual([
      { kind: 'admitted', admissions: [{ session: anna, deadline: OPENS_AT + CLAIM_MS }] },
      { kind: 'admitted', admissions: [{ session: anna, deadline }] },
    ]);
  });

  test('[P4] an admission outlives the last socket by the grace time, and no deadline is passed', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).admit(rules);
    await room()
      .at(OPENS_AT + 1_000)
      .setPresent(rules, [anna], false);
    expect(await room().isAdmitted(rules.show, anna, OPENS_AT + 1_000 + GRACE_MS - 1)).toBe(true);
    expect(await room().isAdmitted(rules.show, anna, OPENS_AT + 1_000 + GRACE_MS)).toBe(false);
    await room()
      .at(OPENS_AT + 2_000)
      .setPresent(rules, [anna], true);
    await room()
      .at(OPENS_AT + LIFETIME_MS - 1)
      .setPresent(rules, [anna], false);
    expect(await room().isAdmitted(rules.show, anna, OPENS_AT + LIFETIME_MS)).toBe(false);
  });

  test('who was on a node that died gets a claim, because nobody speaks of them any more', async () => {
    const rules = freshRules({ presenceMs: 60_000, admissionBurst: 2 });
    for (const session of [anna, ben]) await room().at(OPENS_AT).join(rules, session);
    await room()
      .at(OPENS_AT + 20_000)
      .setPresent(rules, [ben], true);
    const now = OPENS_AT + 60_000;
    await room().at(now).admit(rules);
    const deadlines = [now + CLAIM_MS, now + LIFETIME_MS];
    expect(await room().notices(rules.show)).toEqual([
      {
        kind: 'admitted',
        admissions: [anna, ben].map((session, index) => ({ session, deadline: deadlines[index] })),
      },
    ]);
    // She comes back through another node.
    await room()
      .at(now + 1_000)
      .setPresent(rules, [anna], true);
    expect(
      await room()
        .at(now + 1_000)
        .standing(rules, anna),
    ).toEqual({
      state: 'admitted',
      deadline: now + 1_000 + LIFETIME_MS,
    });
  });

  test('[P4] with tabs on two nodes, the end of one is made good by the next word of the other', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room()
      .at(OPENS_AT + 1_000)
      .setPresent(rules, [anna], false);
    await room()
      .at(OPENS_AT + 20_000)
      .setPresent(rules, sessions(300).concat(anna), true);
    expect(
      await room()
        .at(OPENS_AT + 1_000 + GRACE_MS)
        .expire(rules),
    ).toBe(0);
    expect(
      await room()
        .at(OPENS_AT + 1_000 + GRACE_MS)
        .standing(rules, anna),
    ).toMatchObject({ ahead: 0 });
  });

  test('[P4] presence of somebody outside is nothing', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).setPresent(rules, [anna], true);
    await room().at(OPENS_AT).setPresent(rules, [anna], false);
    expect(await room().at(OPENS_AT).standing(rules, anna)).toMatchObject({ reason: 'not-joined' });
    expect(await room().notices(rules.show)).toEqual([]);
  });
}
