import { expect, test } from 'vitest';
import type { SessionId } from '../../src/platform/ids.ts';
import { RESTORING_MS } from '../../src/waiting-room/waiting-room-store.ts';
import type { LostPlace, WaitingRoomRules } from '../../src/waiting-room/waiting-room-store.ts';
import { freshRules, OPENS_AT, sessions, type WaitingRoomUnderTest } from './waiting-room-under-test.ts';

const [anna, ben, cleo, dora] = sessions(4) as [SessionId, SessionId, SessionId, SessionId];

/** What becomes of places when the room forgets everything, and of those who speak of a place they had. */
export function describeLoss(room: () => WaitingRoomUnderTest): void {
  /** Joins, and returns what a receipt would say of the place. */
  async function joinAt(now: number, rules: WaitingRoomRules, session: SessionId, lost?: LostPlace) {
    const joined = await room()
      .at(now)
      .join(rules, session, { lost: lost ?? null });
    if (!joined.ok || joined.value.state !== 'waiting') throw new Error('no place');
    return joined.value;
  }

  const order = async (now: number, rules: WaitingRoomRules, all: readonly SessionId[]) =>
    (await room().at(now).ranks(rules, all)).ahead;

  test('[P4] a lost room gives places back in their order, whoever comes back first', async () => {
    const rules = freshRules();
    const early = sessions(20);
    const [late, later] = ['late', 'later'].map((name) => `buyer-${name}` as SessionId) as [
      SessionId,
      SessionId,
    ];
    const places = new Map<SessionId, LostPlace>();
    for (const session of early) places.set(session, await joinAt(OPENS_AT - 1_000, rules, session));
    for (const session of [late, later]) places.set(session, await joinAt(OPENS_AT + 10, rules, session));
    const all = [...places.keys()];
    const before = await order(OPENS_AT + 20, rules, all);
    await room().lose(rules.show);
    expect(
      await room()
        .at(OPENS_AT + 30)
        .standing(rules, anna),
    ).toMatchObject({ reason: 'not-joined' });

    const newcomers = [`buyer-new` as SessionId, `buyer-newer` as SessionId];
    await joinAt(OPENS_AT + 30, rules, newcomers[0]!);
    for (const session of all.toReversed()) {
      const place = places.get(session)!;
      expect((await joinAt(OPENS_AT + 40, rules, session, place)).score).toBe(place.score);
    }
    await joinAt(OPENS_AT + 50, rules, newcomers[1]!);
    expect(await order(OPENS_AT + 60, rules, all)).toEqual(before);
    expect(await order(OPENS_AT + 60, rules, newcomers)).toEqual([all.length, all.length + 1]);
  });

  test('[P4] a crowd that joined in one moment stays in front of who joins after the loss', async () => {
    const rules = freshRules();
    const crowd = sessions(300);
    const places = await Promise.all(crowd.map((session) => joinAt(OPENS_AT + 5, rules, session)));
    await room().lose(rules.show);
    await joinAt(OPENS_AT + 6, rules, 'buyer-new' as SessionId);
    await Promise.all(crowd.map((session, index) => joinAt(OPENS_AT + 7, rules, session, places[index])));
    expect(await order(OPENS_AT + 8, rules, crowd)).toEqual(crowd.map((_, index) => index));
  });

  test('the room that gave a place knows what became of it: who left starts anew at the end', async () => {
    const rules = freshRules();
    const place = await joinAt(OPENS_AT, rules, anna);
    await joinAt(OPENS_AT, rules, ben);
    await room().at(OPENS_AT).leave(rules, anna);
    expect(await joinAt(OPENS_AT, rules, anna, place)).toMatchObject({ ahead: 1 });
  });

  test('a place is given back once: not to who left, ran out or bought since the loss', async () => {
    const rules = freshRules({ admissionBurst: 1 });
    const place = await joinAt(OPENS_AT, rules, anna);
    await room().lose(rules.show);
    await joinAt(OPENS_AT + 1, rules, ben);
    await joinAt(OPENS_AT + 2, rules, anna, place);
    const later = OPENS_AT + 2 + RESTORING_MS;
    await room().at(later).admit(rules);
    await room().at(later).finish(rules, anna, later);
    expect(await joinAt(later, rules, anna, place)).toMatchObject({ ahead: 1 });
  });

  test('[P4] nobody is let in before the others had the time to come back, too', async () => {
    const rules = freshRules({ admissionBurst: 1 });
    const first = await joinAt(OPENS_AT, rules, anna);
    const second = await joinAt(OPENS_AT, rules, ben);
    await room().lose(rules.show);
    await joinAt(OPENS_AT + 1_000, rules, ben, second);
    expect(
      await room()
        .at(OPENS_AT + 1_000)
        .admit(rules),
    ).toBe(0);
    await joinAt(OPENS_AT + 2_000, rules, anna, first);
    const over = OPENS_AT + 1_000 + RESTORING_MS;
    expect(
      await room()
        .at(over - 1)
        .admit(rules),
    ).toBe(0);
    expect(await room().at(over).admit(rules)).toBe(1);
    expect(await room().isAdmitted(rules.show, anna, over)).toBe(true);
  });

  test('who took a new place after the loss and left it has no claim to the old one', async () => {
    const rules = freshRules();
    const place = await joinAt(OPENS_AT, rules, anna);
    await room().lose(rules.show);
    await joinAt(OPENS_AT + 1, rules, anna);
    await joinAt(OPENS_AT + 1, rules, cleo);
    await room()
      .at(OPENS_AT + 2)
      .leave(rules, anna);
    expect(await joinAt(OPENS_AT + 3, rules, anna, place)).toMatchObject({ ahead: 1 });
  });

  test('who has a place keeps it, whatever they say they had', async () => {
    const rules = freshRules();
    await joinAt(OPENS_AT, rules, cleo);
    const place = await joinAt(OPENS_AT, rules, dora);
    const claim = { room: '00000000-0000-0000-0000-000000000000', score: 0 };
    expect(await joinAt(OPENS_AT, rules, dora, claim)).toEqual(place);
  });
}
