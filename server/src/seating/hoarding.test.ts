import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { expect, test } from 'vitest';
import { networkTag, type SessionId, sessionId, showId } from '../platform/ids.ts';
import { MemorySeatStore } from './memory-seat-store.ts';
import { MemoryShowFeed } from '../feed/memory-show-feed.ts';
import { seatsPerNetwork } from './seat-notes.ts';
import type { SeatRules } from './seat-store.ts';
import { nextTurn } from '../platform/outside.ts';

const SEATS = 498;
const SESSIONS = 100;
const SEATS_PER_BUYER = 4;
const SECONDS = 1_200;
const rules: SeatRules = {
  show: showId(1),
  seatCount: SEATS,
  sectionOf: new Uint16Array(SEATS),
  sectionCount: 1,
  seatsPerBuyer: SEATS_PER_BUYER,
  seatsPerNetwork: seatsPerNetwork(SEATS, 10),
  holdLifetimeMs: 120_000,
  extensionsMax: 0,
};

/** A hundred sessions of one address that want to keep a show from everybody, and nobody else wants a seat. */
async function hoard(seatRules: SeatRules): Promise<{ heldAfter11s: number; shareOfTime: number }> {
  const clock = new ManualClock();
  const admissions = { isAdmitted: () => true };
  const store = new MemorySeatStore({
    feed: new MemoryShowFeed({ nextTurn }),
    admissions,
    newEpoch: () => 1,
    clock,
  });
  await store.open(seatRules, { sold: [], checkouts: [] });
  const network = networkTag('an-attacker');
  const sessions = Array.from({ length: SESSIONS }, (_, index) => sessionId(`hoarder-${index}`));
  const held = new Map<SessionId, readonly number[]>();
  let heldAfter11s = 0;
  let seatSeconds = 0;
  for (let second = 0; second < SECONDS; second++) {
    for (const [index, session] of sessions.entries()) {
      const hold = await store.holdOf(seatRules.show, session);
      held.set(session, hold?.seats ?? []);
      for (let want = hold?.seats.length ?? 0; want < SEATS_PER_BUYER; want++) {
        // Each has its own seats and, by turns, those of a neighbour's.
        const seat = ((index + (second % 2)) % SESSIONS) * SEATS_PER_BUYER + want;
        const [outcome] = await store.take(seatRules, [
          { kind: 'hold', session, network, seats: [seat], prices: [1] },
        ]);
        if (outcome.ok) held.set(session, outcome.value.seats);
      }
    }
    const now = [...held.values()].reduce((sum, seats) => sum + seats.length, 0);
    if (second === 11) heldAfter11s = now;
    seatSeconds += now;
    clock.advance(1_000);
    await store.expire(seatRules);
  }
  return { heldAfter11s, shareOfTime: seatSeconds / (SEATS * SECONDS) };
}

test('[P7] a hundred sessions of one address hold a tenth of a show at most, and not for ever', async () => {
  const { heldAfter11s, shareOfTime } = await hoard(rules);
  expect(heldAfter11s).toBeLessThanOrEqual(SEATS / 10);
  expect(shareOfTime).toBeLessThan(0.1);
});

test('[P7] without that bound, the cool-down alone takes the same seats from them most of the time', async () => {
  const { shareOfTime } = await hoard({ ...rules, seatsPerNetwork: SEATS });
  expect(shareOfTime).toBeLessThan(0.5);
});
