import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { beforeEach, describe, expect, test } from 'vitest';
import { sessionId, showId } from '../platform/ids.ts';
import { MemoryWaitingRoomStore } from './memory-waiting-room-store.ts';
import { repeat } from '../platform/repeat.ts';
import { type OnSale, rulesOf, serveWaitingRoom } from './waiting-room.ts';
import type { WaitingRoomRules } from './waiting-room-store.ts';

const START = 1_900_000_000_000;
const TICK_MS = 100;
const LIFETIME_MS = 2_000;
const settings = { graceMs: 1_000, claimMs: 500, queueMax: 100, placesPerNetworkMax: 1_000 };

const showWith = (id: number, more: Partial<OnSale> = {}): OnSale => ({
  id: showId(id),
  sale: {
    lobbyAt: START,
    opensAt: START + 500,
    closesAt: START + 5_000,
    admissionsPerSecond: 10,
    admissionBurst: 1,
    admittedMax: 3,
    admissionLifetimeMs: LIFETIME_MS,
    seatsPerBuyer: 6,
    holdLifetimeMs: 500,
    extensionsMax: 1,
  },
  drawSeed: '00',
  paused: false,
  ...more,
});

/** Calls of one store, with failures and delays on demand. */
class WatchedStore extends MemoryWaitingRoomStore {
  readonly calls: string[] = [];
  broken: number | null = null;
  gate: Promise<undefined> | null = null;

  override async expire(rules: WaitingRoomRules): Promise<number> {
    this.calls.push(`expire ${String(rules.show)}`);
    await this.gate;
    if (rules.show === this.broken) throw new Error('store down');
    return super.expire(rules);
  }

  override async admit(rules: WaitingRoomRules): Promise<number> {
    this.calls.push(`admit ${String(rules.show)}`);
    return super.admit(rules);
  }
}

describe('serving waiting rooms again and again', () => {
  let clock: ManualClock;
  let store: WatchedStore;
  let shows: { show: OnSale; soldOut: boolean }[];
  let errors: unknown[];
  let stop: () => Promise<void>;

  beforeEach(() => {
    clock = new ManualClock(START - 1_000);
    store = new WatchedStore(() => undefined, clock);
    shows = [{ show: showWith(1), soldOut: false }];
    errors = [];
    const serve = ({ show, soldOut }: (typeof shows)[number]): Promise<void> =>
      serveWaitingRoom({ store, settings }, { show, soldOut }, clock.now(), () => undefined).catch(
        (cause: unknown) => void errors.push([show.id, cause]),
      );
    stop = repeat(
      clock,
      TICK_MS,
      async () => {
        await Promise.all(shows.map(serve));
      },
      (cause) => errors.push(cause),
    );
  });

  /** Lets time pass tick by tick, so that each run ends before the next is due. */
  async function pass(ms: number): Promise<void> {
    for (let done = 0; done < ms; done += TICK_MS) {
      clock.advance(TICK_MS);
      await new Promise(setImmediate);
    }
  }

  async function joinAll(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      await store.join(rulesOf(showWith(1), settings), sessionId(`s${String(index)}`));
    }
  }

  const admitted = async () => (await store.ranks(rulesOf(showWith(1), settings), [])).admitted;

  test('nothing before the lobby, sweeping in the lobby, admission from the opening to the cap', async () => {
    await pass(900);
    expect(store.calls).toEqual([]);
    await pass(100);
    await joinAll(10);
    await pass(400);
    expect(new Set(store.calls)).toEqual(new Set(['expire 1']));
    await pass(100);
    expect(await admitted()).toBe(1);
    await pass(1_000);
    expect(await admitted()).toBe(3);
  });

  test('slots that run out go to the next within the same tick', async () => {
    await pass(1_000);
    await joinAll(10);
    await pass(800 + LIFETIME_MS);
    expect(await admitted()).toBe(3);
    expect((await store.ranks(rulesOf(showWith(1), settings), [])).waiting).toBe(4);
  });

  test('paused and sold out let nobody in, and still sweep', async () => {
    shows = [
      { show: showWith(1, { paused: true }), soldOut: false },
      { show: showWith(2), soldOut: true },
    ];
    await pass(1_600);
    expect(new Set(store.calls)).toEqual(new Set(['expire 1', 'expire 2']));
    shows = [{ show: showWith(1), soldOut: false }];
    await pass(100);
    expect(store.calls.at(-1)).toBe('admit 1');
  });

  test('after the close only until the last admission has run out', async () => {
    await pass(6_100 + 2 * LIFETIME_MS);
    expect(store.calls.lastIndexOf('admit 1')).toBeLessThan(store.calls.length - 1);
    store.calls.length = 0;
    await pass(1_000);
    expect(store.calls).toEqual([]);
  });

  test("a show's failure is reported, and neither it nor the others stop", async () => {
    shows = [
      { show: showWith(1), soldOut: false },
      { show: showWith(2), soldOut: false },
    ];
    store.broken = 1;
    await pass(1_700);
    expect(errors[0]).toEqual([1, new Error('store down')]);
    expect(store.calls.slice(-4).sort()).toEqual(['admit 1', 'admit 2', 'expire 1', 'expire 2']);
    errors.length = 0;
    store.broken = null;
    await pass(200);
    expect(errors).toEqual([]);
  });

  test('runs never overlap, and stopping waits for the one under way', async () => {
    const { promise, resolve: open } = Promise.withResolvers<undefined>();
    store.gate = promise;
    await pass(1_700);
    expect(store.calls).toEqual(['expire 1']);
    let stopped = false;
    const stopping = stop().then(() => (stopped = true));
    await new Promise(setImmediate);
    expect(stopped).toBe(false);
    open(undefined);
    await stopping;
    store.calls.length = 0;
    await pass(1_000);
    expect(store.calls).toEqual([]);
  });
});
