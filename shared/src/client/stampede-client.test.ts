import { describe, expect, test } from 'vitest';
import { SECTIONS_WATCHED_MAX } from '../protocol/limits.ts';
import { CHECKOUT_TIMEOUT_MS, REQUEST_TIMEOUT_MS } from './pending-requests.ts';
import { EPOCH, LAYOUT, ORDER, SHOW, Stage } from './testing/show-script.ts';

const INTENT = { idempotencyKey: 'checkout-0001', amount: 9_500 };

describe('requests', () => {
  test('3.1 requests made before the show is entered wait for it', async () => {
    const stage = new Stage();
    void stage.client.enter(SHOW, LAYOUT);
    const joined = stage.client.join();
    stage.open();
    expect(stage.socket.received.map((one) => one.type)).toEqual(['authenticate', 'enter']);
    stage.answerEnter();
    stage.socket.answer('join', { type: 'waiting', position: 12, behind: 3, wait: null });
    await expect(joined).resolves.toEqual({ ok: true });
    expect(stage.client.view.standing).toEqual({ state: 'waiting', position: 12, behind: 3, wait: null });
  });

  test('3.3 a refusal is the answer, with all it says', async () => {
    const stage = new Stage().enter();
    const answer = stage.client.hold([1, 2]);
    stage.socket.answer('hold', {
      type: 'refused',
      code: 'seat-taken',
      seats: [2],
      detail: 'seat 2',
      retryAfterMs: 0,
    });
    await expect(answer).resolves.toEqual({
      ok: false,
      code: 'seat-taken',
      seats: [2],
      retryAfterMs: 0,
      detail: 'seat 2',
    });
  });

  test('3.4 3.5 a request without an answer times out; a late answer still counts as news', async () => {
    const stage = new Stage().enter();
    const answer = stage.client.hold([1]);
    const { requestId } = stage.socket.last('hold');
    stage.clock.advance(REQUEST_TIMEOUT_MS);
    await expect(answer).resolves.toMatchObject({ ok: false, code: 'timed-out' });
    stage.socket.say(stage.holdMessage(5, [1], requestId));
    expect(stage.client.view.hold?.holdToken).toBe(5);
  });

  test('3.6 seat requests under way when the socket drops are told so and not repeated', async () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [1]));
    const answers = [stage.client.hold([2]), stage.client.extend(), stage.client.release([1])];
    stage.comeBack();
    stage.answerEnter();
    for (const answer of answers)
      await expect(answer).resolves.toMatchObject({ ok: false, code: 'disconnected' });
    expect(stage.socket.received.map((one) => one.type)).toEqual(['authenticate', 'enter']);
  });

  test('3.6 while there is no connection a seat request fails at once', async () => {
    const stage = new Stage().enter();
    stage.socket.lose();
    await expect(stage.client.hold([2])).resolves.toMatchObject({ ok: false, code: 'disconnected' });
  });

  test('3.6 `join` is repeated on the next socket', async () => {
    const stage = new Stage().enter();
    const joined = stage.client.join();
    stage.comeBack();
    stage.answerEnter();
    stage.socket.answer('join', { type: 'admitted', deadline: 1, now: stage.clock.now() });
    await expect(joined).resolves.toEqual({ ok: true });
  });

  test('9.1 more than the bounds allow is refused before it is sent', async () => {
    const stage = new Stage().enter();
    const many = Array.from({ length: SECTIONS_WATCHED_MAX + 1 }, (_, index) => index);
    await expect(stage.client.watch(many)).resolves.toMatchObject({ code: 'limit-exceeded' });
    await expect(stage.client.hold(many)).resolves.toMatchObject({ code: 'limit-exceeded' });
  });
});

describe('hold and checkout', () => {
  test('6.2 the answer to `hold` replaces the whole hold', async () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [1]));
    const answer = stage.client.hold([2]);
    stage.socket.say(stage.holdMessage(5, [1, 2], stage.socket.last('hold').requestId));
    await expect(answer).resolves.toMatchObject({ ok: true, hold: { holdToken: 5, seats: [1, 2] } });
    expect(stage.client.view.hold?.seats).toEqual([1, 2]);
  });

  test('6.3 word of an older hold does not bring it back', () => {
    const stage = new Stage().enter();
    const live = stage.holdMessage(5, [1]);
    stage.socket.say(live);
    const ended = stage.holdEndedMessage(5, [1]);
    stage.socket.say(ended);
    expect(stage.changes.at(-1)).toEqual({ kind: 'hold', ended: { reason: 'expired', seats: [1] } });
    stage.socket.say(live);
    expect(stage.client.view.hold).toBeNull();
    stage.socket.say(stage.holdMessage(6, [3]));
    stage.socket.say(ended);
    expect(stage.client.view.hold?.holdToken).toBe(6);
  });

  test('6.3 an older revision of a hold says nothing, whichever word came last', () => {
    const stage = new Stage().enter();
    const older = stage.holdMessage(5, [1]);
    stage.socket.say(stage.holdMessage(5, [1, 2]));
    stage.socket.say(older);
    expect(stage.client.view.hold?.seats).toEqual([1, 2]);
    const change = stage.holdMessage(5, [2]);
    stage.socket.say(stage.holdEndedMessage(5, [1, 2]));
    stage.socket.say(change);
    expect(stage.client.view.hold).toBeNull();
    expect(stage.changes.at(-1)).toMatchObject({ kind: 'hold', ended: { reason: 'expired' } });
  });

  test('6.6 a payment that is being handed over has no order yet', () => {
    const stage = new Stage().enter();
    stage.socket.say({ ...stage.holdMessage(5, [1]), payment: 'handing-over' });
    expect(stage.client.view.hold).toMatchObject({ payment: 'handing-over', orderId: null });
    stage.socket.say({ ...stage.holdMessage(5, [1]), payment: 'accepted', orderId: ORDER.id });
    expect(stage.client.view.hold).toMatchObject({ payment: 'accepted', orderId: ORDER.id });
  });

  test('6.4 releasing all seats ends the hold; without a hold there is nothing to release or extend', async () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [1]));
    const answer = stage.client.release();
    expect(stage.socket.last('release')).toMatchObject({ holdToken: 5, seats: [] });
    stage.socket.say({
      ...stage.holdEndedMessage(5, [1]),
      requestId: stage.socket.last('release').requestId,
    });
    await expect(answer).resolves.toEqual({ ok: true });
    await expect(stage.client.release()).resolves.toMatchObject({ ok: false, code: 'hold-ended' });
    await expect(stage.client.extend()).resolves.toMatchObject({ ok: false, code: 'hold-ended' });
    await expect(stage.client.checkout(INTENT)).resolves.toMatchObject({ ok: false, code: 'hold-ended' });
  });

  test('[P4] a hold that ended while away is gone after entering again, one that lives is kept', () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [1]));
    stage.comeBack();
    expect(stage.client.view.hold?.holdToken).toBe(5);
    stage.answerEnter({ hold: stage.holdMessage(5, [1]) });
    expect(stage.client.view.hold?.holdToken).toBe(5);
    stage.comeBack();
    stage.answerEnter();
    expect(stage.client.view.hold).toBeNull();
    expect(stage.changes.filter((change) => change.kind === 'hold').at(-1)).toEqual({
      kind: 'hold',
      ended: null,
    });
  });

  test('6.3 a server that counts hold tokens anew after losing its memory is believed', () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [1]));
    stage.comeBack();
    stage.answerEnter({ hold: stage.holdMessage(1, [2]), epoch: EPOCH + 1 });
    expect(stage.client.view.hold).toMatchObject({ holdToken: 1, seats: [2] });
    stage.socket.say(stage.holdEndedMessage(1, [2]));
    expect(stage.client.view.hold).toBeNull();
  });

  test('[P2] 6.7 a checkout is repeated across reconnects with the same content until it is answered', async () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [4]));
    const answer = stage.client.checkout(INTENT);
    const first = stage.socket.last('checkout');
    stage.comeBack();
    stage.answerEnter();
    expect(stage.socket.last('checkout')).toEqual({
      ...first,
      requestId: stage.socket.last('checkout').requestId,
    });
    stage.comeBack();
    stage.answerEnter({ order: ORDER });
    stage.socket.answer('checkout', { type: 'order', order: ORDER });
    await expect(answer).resolves.toEqual({ ok: true, order: ORDER });
    expect(stage.client.view.orders.get(ORDER.id)).toEqual(ORDER);
  });

  test('6.7 a checkout that timed out can be asked again, with the hold it began with', async () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [4]));
    const answer = stage.client.checkout(INTENT);
    stage.socket.lose();
    stage.clock.advance(CHECKOUT_TIMEOUT_MS);
    await expect(answer).resolves.toMatchObject({ ok: false, code: 'timed-out' });
    stage.comeBack();
    stage.answerEnter({ order: { ...ORDER, status: 'confirmed' } });
    expect(stage.client.view.hold).toBeNull();
    void stage.client.checkout(INTENT);
    expect(stage.socket.last('checkout')).toMatchObject({ holdToken: 5, ...INTENT });
  });

  test('[P2] an order that has its outcome keeps it, whatever older word arrives after it', () => {
    const stage = new Stage().enter();
    stage.socket.say({ type: 'order', requestId: 0, order: { ...ORDER, status: 'confirmed' } });
    stage.socket.say({ type: 'order', requestId: 0, order: ORDER });
    expect(stage.client.view.orders.get(ORDER.id)?.status).toBe('confirmed');
  });

  test('6.9 listed orders appear in the view', async () => {
    const stage = new Stage().enter();
    const answer = stage.client.listOrders();
    stage.socket.answer('orders', { type: 'orders', orders: [ORDER] });
    await expect(answer).resolves.toEqual({ ok: true, orders: [ORDER] });
    expect([...stage.client.view.orders.keys()]).toEqual([ORDER.id]);
  });
});

describe('entering', () => {
  test('3.8 state first, answer last: after `entered` the whole view is there', async () => {
    const stage = new Stage();
    const answer = stage.client.enter(SHOW, LAYOUT);
    stage.open();
    stage.answerEnter({ order: ORDER });
    await expect(answer).resolves.toEqual({ ok: true });
    const { sale, phase, standing, summaries, orders } = stage.client.view;
    expect(sale).toEqual({ show: SHOW, epoch: EPOCH, seatsPerBuyer: 6, holdLifetimeMs: 120_000 });
    expect([phase?.phase, standing.state, summaries.size, orders.size]).toEqual(['open', 'admitted', 3, 1]);
  });

  test('3.8 a server too busy for `enter` is asked again later', async () => {
    const stage = new Stage();
    const answer = stage.client.enter(SHOW, LAYOUT);
    stage.open();
    stage.socket.answer('enter', {
      type: 'refused',
      code: 'busy',
      seats: [],
      detail: '',
      retryAfterMs: 3_000,
    });
    await expect(answer).resolves.toMatchObject({ ok: false, code: 'busy' });
    stage.clock.advance(2_999);
    expect(stage.socket.all('enter')).toHaveLength(1);
    stage.clock.advance(3_001);
    expect(stage.socket.all('enter')).toHaveLength(2);
    stage.answerEnter();
    expect(stage.client.view.sale?.show).toBe(SHOW);
  });

  test('7.7 a show that does not exist is not entered again', async () => {
    const stage = new Stage();
    const answer = stage.client.enter(99, LAYOUT);
    stage.open();
    stage.socket.answer('enter', {
      type: 'refused',
      code: 'show-unknown',
      seats: [],
      detail: '',
      retryAfterMs: 0,
    });
    await expect(answer).resolves.toMatchObject({ ok: false, code: 'show-unknown' });
    stage.comeBack();
    expect(stage.socket.all('enter')).toHaveLength(0);
  });

  test('3.9 another show gets another socket and starts from nothing', async () => {
    const stage = new Stage().enter();
    stage.socket.say(stage.holdMessage(5, [1]));
    const waiting = stage.client.join();
    void stage.client.enter(8, { sections: [{ seatCount: 4 }] });
    await expect(waiting).resolves.toMatchObject({ code: 'disconnected' });
    expect(stage.server.sockets).toHaveLength(2);
    expect(stage.server.sockets[0]?.ended).toBe(true);
    expect([stage.client.view.sale, stage.client.view.hold, stage.client.view.phase]).toEqual([
      null,
      null,
      null,
    ]);
    stage.welcome();
    expect(stage.socket.all('enter')).toMatchObject([{ show: 8 }]);
  });
});
