import { createHash, createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AVAILABLE, HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { type AppStand, startAppStand } from './app-stand.ts';
import { DRAW_SEED } from './app-stand-show.ts';

let stand: AppStand;
const key = (name: string): string => `intent-of-${name}`;

describe('buyers of an open show', () => {
  beforeEach(async () => {
    stand = await startAppStand();
  });
  afterEach(async () => {
    await stand.stop();
    expect(stand.errors).toEqual([]);
  });

  test('[P1] two buyers, one seat: exactly one holds it, and the other is told which seat was taken', async () => {
    const [one, two] = [await stand.shopper(), await stand.shopper()];
    const [first, second] = await stand.during(Promise.all([one.hold([5]), two.hold([4, 5, 6])]));
    expect(first).toMatchObject({ ok: true, hold: { seats: [5] } });
    expect(second).toMatchObject({ ok: false, code: 'seat-taken', seats: [5] });
    expect(two.view.hold).toBeNull();
  });

  test('5.4 everybody sees a seat held within 1 s, and sold once it is paid', async () => {
    const [buyer, watcher] = [await stand.shopper(), await stand.visitor()];
    await stand.during(buyer.hold([7]));
    await stand.until(
      'held on both screens',
      () => statusOn(buyer, 7) === HELD && statusOn(watcher, 7) === HELD,
      1_000,
    );
    await stand.during(buyer.checkout({ idempotencyKey: key('seven'), amount: 2_000 }));
    await stand.until(
      'sold on both screens',
      () => statusOn(buyer, 7) === SOLD && statusOn(watcher, 7) === SOLD,
    );
    const [order] = buyer.view.orders.values();
    expect(order).toMatchObject({ status: 'confirmed', seats: [7], amount: 2_000 });
    expect(order?.tickets).toHaveLength(1);
    expect(buyer.view.hold).toBeNull();
    await stand.until('finished', () => buyer.view.standing.state === 'outside');
    expect(buyer.view.standing).toEqual({ state: 'outside', reason: 'finished' });
    expect(watcher.view.orders.size).toBe(0);
  });

  test('[P4] 2.6 two tabs of one session show the same standing, hold and order', async () => {
    const session = stand.newSession();
    const first = await stand.visitor(session);
    const second = await stand.visitor(session);
    await stand.during(first.join());
    await stand.until('both admitted', () =>
      [first, second].every((tab) => tab.view.standing.state === 'admitted'),
    );
    await stand.during(first.hold([1, 2]));
    await stand.until('held in the second tab', () => second.view.hold !== null, 1_000);
    expect(second.view.hold).toEqual(first.view.hold);

    // The second tab may go on where the first one stopped.
    await stand.during(second.release([1]));
    await stand.until('one seat in the first tab', () => first.view.hold?.seats.length === 1, 1_000);
    const paid = await stand.during(second.checkout({ idempotencyKey: key('tabs'), amount: 2_000 }));
    expect(paid.ok).toBe(true);
    await stand.until(
      'processing in the first tab',
      () => typeof first.view.hold?.orderId === 'string',
      1_000,
    );
    await stand.until('tickets in both tabs', () =>
      [first, second].every((tab) =>
        [...tab.view.orders.values()].some((order) => order.tickets.length === 1),
      ),
    );
    expect([...first.view.orders]).toEqual([...second.view.orders]);
    expect([first.view.hold, second.view.hold]).toEqual([null, null]);
  });

  test('6.5 a hold is extended as often as allowed', async () => {
    const buyer = await stand.shopper();
    await stand.during(buyer.hold([3]));
    const before = buyer.view.hold!;
    await stand.pass(20_000);
    expect(await stand.during(buyer.extend())).toEqual({ ok: true });
    expect(buyer.view.hold!.expiresAt).toBeGreaterThanOrEqual(before.expiresAt + 20_000);
    expect(buyer.view.hold!.extensionsLeft).toBe(0);
    expect(await stand.during(buyer.extend())).toMatchObject({ code: 'extension-limit' });
  });

  test('6.4 part of a hold is released under the same token, and others may take it', async () => {
    const [one, two] = [await stand.shopper(), await stand.shopper()];
    await stand.during(one.hold([10, 11, 12]));
    const token = one.view.hold!.holdToken;
    await stand.during(one.release([11]));
    expect(one.view.hold).toMatchObject({ holdToken: token, seats: [10, 12] });
    expect(await stand.during(two.hold([11]))).toMatchObject({ ok: true });
    await stand.during(one.release());
    expect(one.view.hold).toBeNull();
    await stand.until('free again', () => statusOn(two, 10) === AVAILABLE && statusOn(two, 12) === AVAILABLE);
  });

  test('[P3] a hold that nobody pays for ends at its deadline, and its seats are on sale again', async () => {
    const [one, two] = [await stand.shopper(), await stand.shopper()];
    await stand.during(one.hold([20, 21]));
    await stand.until('held', () => statusOn(two, 20) === HELD);
    const ended: unknown[] = [];
    one.onChange((change) => change.kind === 'hold' && ended.push(change.ended));
    await stand.until('expired', () => one.view.hold === null, 65_000);
    expect(ended).toContainEqual({ reason: 'expired', seats: [20, 21] });
    await stand.until('free', () => statusOn(two, 20) === AVAILABLE, 5_000);
    expect(await stand.during(two.hold([20, 21]))).toMatchObject({ ok: true });
  });

  test('leaving gives seats and slot back at once', async () => {
    const [one, two] = [await stand.shopper(), await stand.shopper()];
    await stand.during(one.hold([30]));
    expect(await stand.during(one.leave())).toEqual({ ok: true });
    expect(one.view.standing).toEqual({ state: 'outside', reason: 'left' });
    await stand.until('no hold', () => one.view.hold === null, 1_000);
    expect(await stand.during(two.hold([30]))).toMatchObject({ ok: true });
    expect(await stand.during(one.hold([31]))).toMatchObject({ code: 'not-admitted' });
  });

  test('[P4] 3.8 a socket lost during a hold: entering again tells standing, hold and deadline', async () => {
    const session = stand.newSession();
    const socket = await stand.socket({ bearer: session.bearer });
    const { id } = stand.show();
    await socket.ask({ type: 'enter', show: id });
    await socket.ask({ type: 'join', receipt: null });
    await stand.until('admitted', () => socket.of('admitted').length > 0);
    const held = await socket.ask({ type: 'hold', seats: [40, 41] });
    await socket.cut();
    await stand.pass(5_000);

    const next = await stand.socket({ bearer: session.bearer });
    await next.ask({ type: 'enter', show: id });
    expect(next.of('hold')).toEqual([{ ...held, requestId: 0, now: expect.any(Number) as number }]);
    expect(next.heard.map((message) => message.type)).toEqual([
      'welcome',
      'phase',
      'admitted',
      'hold',
      'summary',
      'entered',
    ]);
  });

  test('[P5] 5.3 a client that missed little is continued with a delta, one that missed its epoch with a snapshot', async () => {
    const { id } = stand.show();
    const watcher = await stand.socket();
    await watcher.ask({ type: 'enter', show: id });
    await watcher.ask({ type: 'watch', sections: [{ section: 0, epoch: 0, sequence: 0 }] });
    const [{ epoch, sequence } = { epoch: 0, sequence: 0 }] = watcher.of('snapshot');
    await watcher.cut();
    const buyer = await stand.shopper();
    await stand.during(buyer.hold([2, 3]));

    const back = await stand.socket();
    await back.ask({ type: 'enter', show: id });
    await back.ask({ type: 'watch', sections: [{ section: 0, epoch, sequence }] });
    expect(back.of('snapshot')).toEqual([]);
    expect(back.of('delta')).toMatchObject([{ section: 0, sequence: sequence + 2 }]);
    await back.ask({ type: 'watch', sections: [{ section: 0, epoch, sequence: sequence + 2 }] });
    expect([back.of('snapshot').length, back.of('delta').length]).toEqual([0, 1]);
    await back.ask({
      type: 'watch',
      sections: [{ section: 0, epoch: epoch === 1 ? 2 : epoch - 1, sequence }],
    });
    await back.ask({ type: 'watch', sections: [{ section: 0, epoch, sequence: sequence + 3 }] });
    expect(back.of('snapshot')).toMatchObject([{ epoch }, { sequence: sequence + 2 }]);
  });

  test('7.13 held and bought together are limited', async () => {
    const buyer = await stand.shopper();
    expect(await stand.during(buyer.hold([1, 2, 3, 4, 5]))).toMatchObject({ code: 'limit-exceeded' });
    await stand.during(buyer.hold([1, 2, 3]));
    expect(await stand.during(buyer.hold([4, 5]))).toMatchObject({ code: 'limit-exceeded' });
    await stand.during(buyer.checkout({ idempotencyKey: key('limit'), amount: 6_000 }));
    await stand.until('bought', () => buyer.view.standing.state === 'outside');
    await stand.during(buyer.join());
    await stand.until('admitted again', () => buyer.view.standing.state === 'admitted');
    expect(await stand.during(buyer.hold([4, 5]))).toMatchObject({ code: 'limit-exceeded' });
    expect(await stand.during(buyer.hold([4]))).toMatchObject({ ok: true });
  });

  test('7.21 13.4 a paused show keeps its holds and takes no new ones', async () => {
    const [holder, late] = [await stand.shopper(), await stand.shopper()];
    await stand.during(holder.hold([8]));
    await stand.setPaused(0, true);
    await stand.until('told', () => late.view.phase?.phase === 'paused', 1_000);
    expect(await stand.during(late.hold([9]))).toMatchObject({ code: 'sale-paused' });
    const paid = await stand.during(holder.checkout({ idempotencyKey: key('paused'), amount: 2_000 }));
    expect(paid).toMatchObject({ ok: true, order: { status: 'processing' } });
    await stand.until('bought', () =>
      [...holder.view.orders.values()].some((order) => order.status === 'confirmed'),
    );
    await stand.setPaused(0, false);
    await stand.until('told again', () => late.view.phase?.phase === 'open', 1_000);
    expect(await stand.during(late.hold([9]))).toMatchObject({ ok: true });
  });

  function statusOn(client: Parameters<AppStand['seatStatus']>[0], seat: number): number | undefined {
    return stand.seatStatus(client, seat);
  }
});

describe('payments that are declined', () => {
  test('6.8 the hold returns under its token with the time it had left, to try again', async () => {
    stand = await startAppStand({
      settings: { PAYMENT_SUCCESS_RATE: '0', PAYMENT_DELAY_MIN_MS: '5000', PAYMENT_DELAY_MAX_MS: '5000' },
    });
    const buyer = await stand.shopper();
    await stand.during(buyer.hold([5]));
    await stand.pass(10_000);
    const { holdToken, expiresAt } = buyer.view.hold!;
    const leftMs = expiresAt - stand.clock.now();
    await stand.during(buyer.checkout({ idempotencyKey: key('decline'), amount: 2_000 }));
    expect(await stand.during(buyer.release())).toMatchObject({ code: 'in-checkout' });
    expect(await stand.during(buyer.hold([6]))).toMatchObject({ code: 'in-checkout' });
    await stand.until('declined', () =>
      [...buyer.view.orders.values()].some((order) => order.status === 'declined'),
    );
    await stand.until('hold returned', () => buyer.view.hold?.payment === 'none');
    expect(buyer.view.hold).toMatchObject({ holdToken, seats: [5] });
    const leftAfterMs = buyer.view.hold!.expiresAt - stand.clock.now();
    expect(Math.abs(leftAfterMs - leftMs)).toBeLessThanOrEqual(200);
    const again = await stand.during(buyer.checkout({ idempotencyKey: key('another'), amount: 2_000 }));
    expect(again).toMatchObject({ ok: true, order: { status: 'processing' } });
    await stand.until('declined again', () => buyer.view.hold?.payment === 'none');
    expect(buyer.view.orders.size).toBe(2);
    await stand.stop();
    expect(stand.errors).toEqual([]);
  });
});

describe('the waiting room', () => {
  afterEach(async () => {
    await stand.stop();
    expect(stand.errors).toEqual([]);
  });

  test('from lobby to open: positions follow the published draw, and whoever comes later is behind it', async () => {
    stand = await startAppStand({
      shows: [{ sale: { opensAt: 10_000, admissionsPerSecond: 0.5, admissionBurst: 1 } }],
    });
    const { commitment, seed } = await drawOf(stand);
    expect(seed).toBeNull();
    const sessions = Array.from({ length: 12 }, () => stand.newSession());
    const early = await Promise.all(
      sessions.map(async (session) => {
        const client = await stand.visitor(session);
        await stand.during(client.join());
        return { client, score: scoreOf(session.session.id), admittedAs: 0 };
      }),
    );
    for (const { client } of early) {
      expect(client.view.standing).toMatchObject({ state: 'waiting', position: 0 });
    }
    expect(await stand.during(early[0]!.client.hold([1]))).toMatchObject({ code: 'sale-not-open' });
    await stand.until('open', () => early.every(({ client }) => client.view.phase?.phase === 'open'), 11_000);
    const late = await stand.visitor();
    await stand.during(late.join());

    const drawn = early.toSorted((one, two) => (one.score < two.score ? -1 : 1));
    await stand.until(
      'positions',
      () =>
        early.every(
          ({ client: { view } }) => view.standing.state !== 'waiting' || view.standing.position > 0,
        ),
      2_000,
    );
    const positions = drawn.map(({ client: { view } }) =>
      view.standing.state === 'waiting' ? view.standing.position : 0,
    );
    expect(positions).toEqual(positions.toSorted((one, two) => one - two));
    expect(new Set(positions.filter((position) => position > 0)).size).toBe(
      positions.filter((position) => position > 0).length,
    );
    expect(late.view.standing).toMatchObject({ state: 'waiting', behind: 0 });

    const admitted: number[] = [];
    drawn.forEach(({ client }, rank) => {
      const note = (): unknown =>
        client.view.standing.state === 'admitted' && !admitted.includes(rank) && admitted.push(rank);
      note();
      client.onChange(note);
    });
    await stand.until('the late one admitted', () => late.view.standing.state === 'admitted', 60_000);
    expect(admitted).toEqual(drawn.map((_, rank) => rank));

    const published = await drawOf(stand);
    expect(published).toEqual({ commitment, seed: DRAW_SEED });
    expect(createHash('sha256').update(Buffer.from(DRAW_SEED, 'hex')).digest('hex')).toBe(commitment);
  });

  test('4.4 an admission that is not used ends at its deadline, and the slot goes to the next', async () => {
    stand = await startAppStand({
      shows: [{ sale: { admittedMax: 1, admissionLifetimeMs: 5_000, holdLifetimeMs: 60_000 } }],
    });
    const one = await stand.shopper();
    const two = await stand.visitor();
    await stand.during(two.join());
    expect(two.view.standing).toMatchObject({ state: 'waiting', position: 1 });
    expect(await stand.during(two.hold([1]))).toMatchObject({ code: 'not-admitted' });
    await stand.until('the next one is admitted', () => two.view.standing.state === 'admitted', 7_000);
    expect(one.view.standing).toEqual({ state: 'outside', reason: 'expired' });
    expect(await stand.during(one.hold([1]))).toMatchObject({ code: 'not-admitted' });
    expect(await stand.during(two.hold([1]))).toMatchObject({ ok: true });
  });

  test('[P4] 4.5 a place outlives its socket for the grace time and moves up meanwhile; then it is gone', async () => {
    stand = await startAppStand({
      shows: [{ sale: { admittedMax: 1 } }],
      settings: { WAITING_GRACE_SECONDS: '10' },
    });
    await stand.shopper();
    const sessions = [stand.newSession(), stand.newSession()];
    const waiting = [];
    for (const session of sessions) {
      const client = await stand.visitor(session);
      await stand.during(client.join());
      waiting.push(client);
    }
    expect(waiting.map(({ view }) => view.standing)).toMatchObject([{ position: 1 }, { position: 2 }]);
    waiting[1]!.stop();
    await stand.pass(8_000);
    const back = await stand.visitor(sessions[1]);
    expect(back.view.standing).toMatchObject({ state: 'waiting', position: 2 });
    await stand.during(waiting[0]!.leave());
    await stand.until(
      'moved up',
      () => back.view.standing.state === 'waiting' && back.view.standing.position === 1,
      3_000,
    );
    back.stop();
    await stand.pass(12_000);
    const tooLate = await stand.visitor(sessions[1]);
    expect(tooLate.view.standing).toEqual({ state: 'outside', reason: 'expired' });
  });
});

/** The session's score as anyone can compute it from the published seed; hex of equal length sorts like the numbers. */
function scoreOf(session: string): string {
  return createHmac('sha256', Buffer.from(DRAW_SEED, 'hex')).update(session).digest('hex').slice(0, 13);
}

async function drawOf({ port }: AppStand): Promise<{ commitment: string; seed: string | null }> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/shows/1`);
  const { drawCommitment, drawSeed } = (await answer.json()) as {
    drawCommitment: string;
    drawSeed: string | null;
  };
  return { commitment: drawCommitment, seed: drawSeed };
}
