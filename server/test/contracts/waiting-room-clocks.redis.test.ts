import { type Clock, systemClock } from '@stampede/shared/platform/clock.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { RedisConnection } from '../../src/platform/redis.ts';
import { RedisWaitingRoomStore } from '../../src/waiting-room/redis-waiting-room-store.ts';
import { type OnSale, serveWaitingRoom } from '../../src/waiting-room/waiting-room.ts';
import { startRedis } from '../../tools/stack/private-servers.ts';
import { connectTo } from './redis/redis-stand.ts';
import { freshRules, sessions } from './waiting-room-under-test.ts';
import { nextTurn } from '../../src/platform/outside.ts';

const TEN_MINUTES_MS = 600_000;
const HOUR_MS = 3_600_000;
const PATIENCE = { timeout: 20_000, interval: 20 };

const off = (byMs: number): Clock => ({ ...systemClock, now: () => systemClock.now() + byMs });

/** The terms of `freshRules` as those of a show that opens at an instant. */
function saleAt(opensAt: number) {
  const rules = freshRules({ opensAt });
  const sale = { ...rules, lobbyAt: opensAt - HOUR_MS, closesAt: opensAt + HOUR_MS };
  const unused = { seatsPerBuyer: 6, holdLifetimeMs: 120_000, extensionsMax: 1 };
  const show: OnSale = {
    id: rules.show,
    sale: { ...sale, ...unused },
    drawSeed: rules.drawSeed,
    paused: false,
  };
  return { rules, show };
}

describe('waiting rooms in Redis, asked by nodes whose clocks are wrong', () => {
  let connection: RedisConnection;
  let store: RedisWaitingRoomStore;
  let remove: () => Promise<void>;

  beforeAll(async () => {
    const server = await startRedis();
    connection = await connectTo(server.url);
    store = new RedisWaitingRoomStore(connection.client, { nextTurn });
    remove = () => server.remove();
  });
  afterAll(async () => {
    connection.close();
    await remove();
  });

  /** Lets a node serve a show once, and then go for ever. */
  async function serveOnce(show: OnSale, clock: Clock): Promise<void> {
    const settings = { graceMs: 60_000, claimMs: 30_000, queueMax: 1_000, placesPerNetworkMax: 1_000 };
    await serveWaitingRoom({ store, settings }, { show, soldOut: false }, clock.now(), () => undefined);
  }

  test('a node ten minutes ahead does not stop admission when it is gone', async () => {
    const { rules, show } = saleAt(systemClock.now() - 1_000);
    for (const session of sessions(30)) await store.join(rules, session);
    await serveOnce(show, off(TEN_MINUTES_MS));
    await vi.waitFor(async () => {
      await serveOnce(show, systemClock);
      expect((await store.ranks(rules, [])).admitted).toBe(30);
    }, PATIENCE);
  });

  test('a node ten minutes ahead neither closes the draw nor lets anybody in early', async () => {
    const { rules, show } = saleAt(systemClock.now() + TEN_MINUTES_MS / 2);
    const [anna, ben] = sessions(2);
    await store.join(rules, anna!);
    await serveOnce(show, off(TEN_MINUTES_MS));
    expect((await store.ranks(rules, [])).admitted).toBe(0);
    expect(await store.join(rules, ben!)).toMatchObject({ value: { state: 'waiting', ahead: null } });
    expect(await store.ranks(rules, [])).toMatchObject({ drawn: false, waiting: 2 });
  });

  test('admissions last as long as the terms say, by the clock of Redis', async () => {
    const { rules, show } = saleAt(systemClock.now() - 1_000);
    const [anna] = sessions(1);
    await store.join(rules, anna!);
    const before = systemClock.now();
    await serveOnce(show, off(TEN_MINUTES_MS));
    const standing = await store.standing(rules, anna!);
    if (standing.state !== 'admitted') throw new Error('not admitted');
    expect(standing.deadline).toBeGreaterThanOrEqual(before + rules.admissionLifetimeMs);
    expect(standing.deadline).toBeLessThanOrEqual(systemClock.now() + rules.admissionLifetimeMs);
  });
});
