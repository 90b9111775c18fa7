import { beforeEach, describe, expect, test } from 'vitest';
import { BLOCKED, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import type { ServerMessage } from '@stampede/shared/protocol/messages.ts';
import { openLiveSale, settle, waitingRoomSettings } from '../../test/integration/app-stand-sale.ts';
import { sessionId } from '../platform/ids.ts';
import { EXTENSIONS_MAX } from '../seating/seat-store.ts';
import { PRESENT_PER_STEP_MAX } from '../waiting-room/waiting-room-store.ts';
import type { Listener } from './sale.ts';
import { seatRulesOf } from './show-seats.ts';

const [ANN, BOB] = [sessionId('ann'), sessionId('bob')];

class Tab implements Listener {
  readonly told: ServerMessage[] = [];
  restarts = 0;

  tell(message: ServerMessage): void {
    this.told.push(message);
  }

  restart(): void {
    this.restarts += 1;
  }
}

let house: Awaited<ReturnType<typeof openLiveSale>>;
beforeEach(async () => {
  house = await openLiveSale();
});

test('[P7] whoever lets buyers extend their holds for ever lets them do so as often as stores can count', () => {
  const { show } = house.sale;
  const forEver = { ...show, sale: { ...show.sale, extensionsMax: 1_024 } };
  expect(seatRulesOf(forEver, 100).extensionsMax).toBe(EXTENSIONS_MAX);
});

describe('the tabs of a sale', () => {
  test('[P4] the first tab to come and the last to go are told apart from those between', () => {
    const { sale } = house;
    const [one, two] = [new Tab(), new Tab()];
    expect([sale.enter(ANN, one), sale.enter(ANN, two), sale.enter(BOB, new Tab())]).toEqual([
      true,
      false,
      true,
    ]);
    expect([sale.leave(ANN, one), sale.leave(ANN, one), sale.leave(ANN, two), sale.leave(ANN, two)]).toEqual([
      false,
      false,
      true,
      false,
    ]);
    expect([sale.hasTabs(ANN), sale.hasTabs(BOB), sale.sessionCount]).toEqual([false, true, 1]);
  });

  test('[P6] 2.6 a notice goes to all tabs of its session and to nobody else', async () => {
    const { sale, seats, waitingRoom, clock } = house;
    const [one, two, other] = [new Tab(), new Tab(), new Tab()];
    sale.enter(ANN, one);
    sale.enter(ANN, two);
    sale.enter(BOB, other);
    await waitingRoom.join(sale.waitingRules, ANN);
    await waitingRoom.admit(sale.waitingRules);
    await seats.take(sale.seatRules, [
      { kind: 'hold', session: ANN, network: null, seats: [3], prices: [100] },
    ]);
    await waitingRoom.leave(sale.waitingRules, ANN);
    clock.advance(sale.show.sale.holdLifetimeMs);
    await seats.expire(sale.seatRules);
    await settle();
    expect(one.told.map((message) => message.type)).toEqual(['admitted', 'hold', 'outside', 'hold-ended']);
    expect(two.told).toEqual(one.told);
    expect(other.told).toEqual([]);
  });

  test('a session that is admitted or falls out waits no more', async () => {
    const { sale, waitingRoom, clock } = house;
    sale.enter(ANN, new Tab());
    const joined = await waitingRoom.join(sale.waitingRules, ANN);
    if (!joined.ok || joined.value.state !== 'waiting') throw new Error('Ann should wait');
    sale.positions.add(ANN, joined.value, sale.phase(), clock.now());
    await waitingRoom.admit(sale.waitingRules);
    await settle();
    expect(sale.positions.size).toBe(0);
  });

  test('who goes while it is told who is here stays away, and a place of theirs ends', async () => {
    const { sale, waitingRoom, clock } = house;
    for (let others = 0; others < PRESENT_PER_STEP_MAX; others++) {
      sale.enter(sessionId(`other-${others}`), new Tab());
    }
    const [gone, kept] = [new Tab(), new Tab()];
    sale.enter(ANN, gone);
    sale.enter(BOB, kept);
    for (const session of [ANN, BOB]) {
      await waitingRoom.join(sale.waitingRules, session);
      await waitingRoom.setPresent(sale.waitingRules, [session], false);
    }
    const telling = sale.tellPresent();
    sale.leave(ANN, gone);
    await waitingRoom.setPresent(sale.waitingRules, [ANN], false);
    await telling;
    clock.advance(waitingRoomSettings.graceMs);
    const standings = [ANN, BOB].map((session) => waitingRoom.standing(sale.waitingRules, session));
    expect((await Promise.all(standings)).map(({ state }) => state)).toEqual(['outside', 'waiting']);
  });

  test('[P4] 4.4 word that a buyer left, which comes when they have joined anew, is not believed', async () => {
    const { sale, waitingRoom } = house;
    const tab = new Tab();
    sale.enter(ANN, tab);
    await waitingRoom.join(sale.waitingRules, ANN);
    await waitingRoom.leave(sale.waitingRules, ANN);
    const again = await waitingRoom.join(sale.waitingRules, ANN);
    if (!again.ok) throw new Error('Ann should wait');
    sale.standingMessage(ANN, again.value, 2);
    expect(tab.told).toEqual([]);
    await settle();
    expect([tab.told.map(({ type }) => type), sale.positions.size]).toEqual([['waiting'], 1]);
    await waitingRoom.leave(sale.waitingRules, ANN);
    await settle();
    expect([tab.told.at(-1), sale.positions.size]).toEqual([
      { type: 'outside', requestId: 0, reason: 'left' },
      0,
    ]);
  });

  test('tells how many buyers it has here, and its seats by status', async () => {
    const { sale } = house;
    sale.enter(ANN, new Tab());
    for (const [seat, status] of [SOLD, SOLD, HELD, BLOCKED].entries()) sale.board.apply([{ seat, status }]);
    expect(sale.reading).toEqual({
      ...{ show: 1, sessions: 1 },
      seats: { available: sale.seatRules.seatCount - 4, held: 1, sold: 2, blocked: 1 },
    });
  });

  test('tells who waits and who was let in', async () => {
    const { sale, waitingRoom, clock } = house;
    const waitingRules = { ...sale.waitingRules, admissionBurst: 1 };
    for (const session of [ANN, BOB, sessionId('eve')]) await waitingRoom.join(waitingRules, session);
    expect(await sale.readRoom()).toEqual({ show: 1, waiting: 3, admitted: 0 });
    await waitingRoom.admit(waitingRules);
    expect(await sale.readRoom()).toEqual({ show: 1, waiting: 2, admitted: 1 });
    expect(await sale.isRoomEmpty()).toBe(false);
    clock.advance(sale.show.sale.closesAt + 24 * 60 * 60 * 1_000);
    expect(await sale.isRoomEmpty()).toBe(true);
  });

  test('5.5 when history is lost, every tab starts anew', async () => {
    const { sale, feed } = house;
    const tabs = [new Tab(), new Tab()];
    for (const tab of tabs) sale.enter(ANN, tab);
    const { sectionOf, sectionCount, seatCount } = sale.seatRules;
    const statuses = new Uint8Array(seatCount).fill(SOLD);
    feed.begin(sale.show.id, { epoch: 8, statuses }, sectionOf, sectionCount);
    expect(tabs.map((tab) => tab.restarts)).toEqual([1, 1]);
    expect([sale.board.epoch, sale.board.soldOut, sale.phase()]).toEqual([8, true, 'sold-out']);
  });

  test('a phase is announced when it changes, and not again', () => {
    const { sale, clock, newWire } = house;
    const wire = newWire();
    wire.subscribe(sale.nextTopic());
    sale.announcePhase();
    sale.announcePhase();
    clock.advance(sale.show.sale.closesAt - clock.now());
    sale.announcePhase();
    sale.announcePhase();
    expect(wire.of('phase').map(({ phase }) => phase)).toEqual(['open', 'closed']);
  });
});
