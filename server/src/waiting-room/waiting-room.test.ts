import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { describe, expect, test } from 'vitest';
import { sessionId, showId } from '../platform/ids.ts';
import { refuse } from '../platform/outcome.ts';
import { MemoryWaitingRoomStore } from './memory-waiting-room-store.ts';
import { type OnSale, joinWaitingRoom, rulesOf } from './waiting-room.ts';
import { PlaceReceipts } from './place-receipts.ts';

const LOBBY_AT = 1_000;
const OPENS_AT = 2_000;
const CLOSES_AT = 3_000;

const showWith = (more: Partial<OnSale> = {}): OnSale => ({
  id: showId(7),
  sale: {
    lobbyAt: LOBBY_AT,
    opensAt: OPENS_AT,
    closesAt: CLOSES_AT,
    admissionsPerSecond: 1,
    admissionBurst: 1,
    admittedMax: 1,
    admissionLifetimeMs: 500,
    seatsPerBuyer: 6,
    holdLifetimeMs: 500,
    extensionsMax: 1,
  },
  drawSeed: '00',
  paused: false,
  ...more,
});

const session = sessionId('anna');
const receipts = new PlaceReceipts([Buffer.alloc(32, 7)]);
const settings = { graceMs: 100, claimMs: 50, queueMax: 10, placesPerNetworkMax: 1_000 };
const partsOf = (now = OPENS_AT) => ({
  store: new MemoryWaitingRoomStore(() => undefined, new ManualClock(now)),
  settings,
  receipts,
});

describe('waiting room commands', () => {
  test('7.20 before the lobby: not open, and when to come again', async () => {
    const joined = await joinWaitingRoom(partsOf(), { show: showWith(), soldOut: false, session }, 400);
    expect(joined).toMatchObject({ ok: false, code: 'sale-not-open', retryAfterMs: 600 });
  });

  test.each([
    ['lobby', LOBBY_AT, false],
    ['open', OPENS_AT, false],
    ['paused', OPENS_AT, true],
  ])('%s: a place', async (_, now, paused) => {
    const joined = await joinWaitingRoom(
      partsOf(),
      { show: showWith({ paused }), soldOut: false, session },
      now,
    );
    expect(joined).toMatchObject({ ok: true, value: { state: 'waiting' } });
  });

  test.each([
    ['sold-out', OPENS_AT, true],
    ['sale-closed', CLOSES_AT, false],
  ])('7.22 7.23 refused: %s', async (code, now, soldOut) => {
    const joined = await joinWaitingRoom(partsOf(), { show: showWith(), soldOut, session }, now);
    expect(joined).toMatchObject({ ok: false, code });
  });

  test('[P7] the deployment bounds the queue', async () => {
    const parts = { ...partsOf(), settings: { ...settings, queueMax: 0 } };
    const joined = await joinWaitingRoom(parts, { show: showWith(), soldOut: false, session }, OPENS_AT);
    expect(joined).toMatchObject({ ok: false, code: 'queue-full', retryAfterMs: 5_000 });
  });

  test.each([
    ['a small queue moves on fast', 10, false, 5_000],
    ['a long one in its time', 2_000, false, 20_000],
    ['a very long one', 500_000, false, 60_000],
    ['a paused one when it goes on', 10, true, 60_000],
  ])('who finds no room is told when to try again: %s', async (_, queueMax, paused, retryAfterMs) => {
    const store = new MemoryWaitingRoomStore(() => undefined, new ManualClock(OPENS_AT));
    const parts = { store, settings: { ...settings, queueMax }, receipts };
    store.join = async () => refuse('queue-full');
    const joined = await joinWaitingRoom(
      parts,
      { show: showWith({ paused }), soldOut: false, session },
      OPENS_AT,
    );
    expect(joined).toMatchObject({ ok: false, retryAfterMs });
  });

  test('leaving after a purchase frees the slot for the next, in every phase', async () => {
    const parts = partsOf();
    const show = showWith();
    const rules = rulesOf(show, settings);
    await joinWaitingRoom(parts, { show, soldOut: false, session }, OPENS_AT);
    await parts.store.admit(rules);
    expect((await parts.store.ranks(rules, [])).admitted).toBe(1);
    await parts.store.finish(rulesOf({ ...show, paused: true }, settings), session, OPENS_AT + 1);
    expect(await parts.store.standing(rules, session)).toEqual({ state: 'outside', reason: 'finished' });
    expect((await parts.store.ranks(rules, [])).admitted).toBe(0);
  });
});
