import { expect, test } from 'vitest';
import type { SessionId } from '../../src/platform/ids.ts';
import {
  freshRules,
  GRACE_MS,
  LIFETIME_MS,
  OPENS_AT,
  sessions,
  type WaitingRoomUnderTest,
} from './waiting-room-under-test.ts';

const [anna, ben, cleo] = sessions(3) as [SessionId, SessionId, SessionId];
const TEN_MINUTES_MS = 600_000;

/** What becomes of a room whose clock was ten minutes ahead and is set right. */
export function describeTime(room: () => WaitingRoomUnderTest): void {
  test('a clock that was ahead gave nothing for its error, and admission goes on at its rate', async () => {
    const rules = freshRules();
    for (const session of sessions(40)) await room().at(OPENS_AT).join(rules, session);
    expect(
      await room()
        .at(OPENS_AT + TEN_MINUTES_MS)
        .admit(rules),
    ).toBe(5);
    expect(await room().at(OPENS_AT).admit(rules)).toBe(0);
    expect(
      await room()
        .at(OPENS_AT + 100)
        .admit(rules),
    ).toBe(1);
    expect(
      await room()
        .at(OPENS_AT + 300)
        .admit(rules),
    ).toBe(2);
  });

  test('a tenth ten times is one, and a lowered burst holds at once', async () => {
    const rules = freshRules({ admissionsPerSecond: 1, admissionBurst: 2 });
    for (const session of sessions(9)) await room().at(OPENS_AT).join(rules, session);
    expect(await room().at(OPENS_AT).admit(rules)).toBe(2);
    const admitted: number[] = [];
    for (let ms = 100; ms <= 1_000; ms += 100) {
      const store = room().at(OPENS_AT + ms);
      admitted.push(await store.admit(rules));
    }
    expect(admitted).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const later = room().at(OPENS_AT + 60_000);
    expect(await later.admit({ ...rules, admissionBurst: 1 })).toBe(1);
  });

  test('the place of somebody who went by a clock that was ahead ends a grace time from now', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room()
      .at(OPENS_AT + TEN_MINUTES_MS)
      .setPresent(rules, [anna], false);
    expect(await room().at(OPENS_AT).expire(rules)).toBe(0);
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS - 1)
        .standing(rules, anna),
    ).toMatchObject({ state: 'waiting' });
    expect(
      await room()
        .at(OPENS_AT + GRACE_MS)
        .expire(rules),
    ).toBe(1);
  });

  test('an admission from the future is one from now, and its buyer is told', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room()
      .at(OPENS_AT + TEN_MINUTES_MS)
      .admit(rules);
    await room().at(OPENS_AT).expire(rules);
    const deadline = OPENS_AT + LIFETIME_MS;
    expect(await room().at(OPENS_AT).standing(rules, anna)).toEqual({ state: 'admitted', deadline });
    expect((await room().notices(rules.show)).at(-1)).toEqual({
      kind: 'admitted',
      admissions: [{ session: anna, deadline }],
    });
    expect(await room().at(deadline).expire(rules)).toBe(1);
  });

  test('a shorter lifetime takes nothing from admissions that were given', async () => {
    const rules = freshRules();
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).admit(rules);
    await room()
      .at(OPENS_AT + 1)
      .expire({ ...rules, admissionLifetimeMs: 1_000 });
    expect(
      await room()
        .at(OPENS_AT + 1)
        .standing(rules, anna),
    ).toMatchObject({
      deadline: OPENS_AT + LIFETIME_MS,
    });
  });
}

/** What an order that is told as confirmed, once or again, does to the visits of its buyer. */
export function describeVisits(room: () => WaitingRoomUnderTest): void {
  const ORDERED_AT = OPENS_AT + 1_000;

  test('a confirmed order ends the visit that it was part of, and the slot is free', async () => {
    const rules = freshRules({ admittedMax: 1 });
    await room().at(OPENS_AT).join(rules, anna);
    await room().at(OPENS_AT).join(rules, ben);
    await room().at(OPENS_AT).admit(rules);
    expect(
      await room()
        .at(ORDERED_AT + 1)
        .finish(rules, anna, ORDERED_AT),
    ).toEqual({
      state: 'outside',
      reason: 'finished',
    });
    expect(
      await room()
        .at(ORDERED_AT + 1)
        .admit(rules),
    ).toBe(1);
    expect(await room().isAdmitted(rules.show, ben, ORDERED_AT + 1)).toBe(true);
  });

  test('[P4] a payment told again leaves the place and the visit that the buyer has begun since', async () => {
    const rules = freshRules();
    const { at } = room();
    await at(OPENS_AT).join(rules, anna);
    await at(OPENS_AT).admit(rules);
    await at(ORDERED_AT + 1).finish(rules, anna, ORDERED_AT);
    const place = await at(ORDERED_AT + 2).join(rules, anna);
    expect(await at(ORDERED_AT + 3).finish(rules, anna, ORDERED_AT)).toEqual(place.ok && place.value);
    await at(ORDERED_AT + 4).admit(rules);
    const deadline = ORDERED_AT + 4 + LIFETIME_MS;
    const again = await at(ORDERED_AT + 5).finish(rules, anna, ORDERED_AT);
    expect(again).toEqual({ state: 'admitted', deadline });
    expect(await at(ORDERED_AT + 6).finish(rules, anna, ORDERED_AT + 5)).toMatchObject({
      reason: 'finished',
    });
  });

  test('[P4] a claim that was taken up is the visit of the orders begun since it was given', async () => {
    const rules = freshRules();
    const { at } = room();
    await at(OPENS_AT).join(rules, cleo);
    await at(OPENS_AT).setPresent(rules, [cleo], false);
    await at(OPENS_AT).admit(rules);
    await at(OPENS_AT + 500).setPresent(rules, [cleo], true);
    await at(ORDERED_AT).finish(rules, cleo, OPENS_AT - 1);
    expect(await room().isAdmitted(rules.show, cleo, ORDERED_AT)).toBe(true);
    await at(ORDERED_AT + 1).finish(rules, cleo, ORDERED_AT);
    expect(await room().isAdmitted(rules.show, cleo, ORDERED_AT + 1)).toBe(false);
  });
}
