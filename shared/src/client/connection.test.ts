import { describe, expect, test } from 'vitest';
import {
  PING_ANSWER_MS,
  SILENCE_BEFORE_PING_MS,
  SILENCE_IN_VIEW_MS,
  SUBPROTOCOL,
} from '../protocol/limits.ts';
import { type NetworkHint, WELCOME_TIMEOUT_MS } from './connection.ts';
import { RECONNECT_BASE_MS, STEADY_AFTER_MS } from './reconnect-delay.ts';
import { SHOW, Stage } from './testing/show-script.ts';

describe('session', () => {
  test('2.2 the bearer is the first word on the socket; after `welcome` the connection is open', () => {
    const stage = new Stage();
    stage.client.start();
    expect(stage.socket.subprotocol).toBe(SUBPROTOCOL);
    stage.socket.accept();
    expect(stage.socket.received).toMatchObject([{ type: 'authenticate', bearer: 'signed-session' }]);
    expect(stage.client.view.connection.state).toBe('connecting');
    stage.socket.answer('authenticate', { type: 'welcome', now: stage.clock.now() + 250 });
    expect(stage.client.view.connection.state).toBe('open');
    expect(stage.client.view.serverTimeOffsetMs).toBe(250);
  });

  test('2.1 with a cookie the server welcomes unasked', () => {
    const stage = new Stage({}, 'cookie');
    stage.client.start();
    stage.socket.accept();
    expect(stage.socket.received).toEqual([]);
    stage.socket.say({ type: 'welcome', requestId: 0, now: stage.clock.now() });
    expect(stage.client.view.connection.state).toBe('open');
  });

  test('2.4 a stale session is renewed, and the fresh bearer authenticates', async () => {
    const renewed = Promise.withResolvers<string>();
    const stage = new Stage({ renewSession: () => renewed.promise }).enter();
    stage.socket.say(stage.holdMessage(5, [1]));
    stage.socket.close('session-stale');
    expect(stage.client.view.connection.state).toBe('reconnecting');
    renewed.resolve('fresh-session');
    await renewed.promise;
    await Promise.resolve();
    await Promise.resolve();
    expect(stage.client.view.hold).toBeNull();
    stage.awaitSocket();
    stage.socket.accept();
    expect(stage.socket.last('authenticate').bearer).toBe('fresh-session');
  });

  test('2.4 a refused bearer is a stale session', () => {
    const stage = new Stage();
    stage.client.start();
    stage.socket.accept();
    stage.socket.answer('authenticate', {
      type: 'refused',
      code: 'session-stale',
      seats: [],
      detail: '',
      retryAfterMs: 0,
    });
    expect(stage.client.view.connection).toEqual({ state: 'stopped', reason: 'session-stale' });
  });

  test.each(['too-many-sockets', 'protocol-violation'] as const)(
    '8.2 after %s the client stays away',
    (reason) => {
      const stage = new Stage().enter();
      stage.socket.close(reason);
      expect(stage.client.view.connection).toEqual({ state: 'stopped', reason });
      stage.clock.advance(600_000);
      expect(stage.server.sockets).toHaveLength(1);
    },
  );

  test('after `stop` nothing goes on, and what waits is told', async () => {
    const stage = new Stage().enter();
    const answer = stage.client.hold([1]);
    stage.client.stop();
    await expect(answer).resolves.toMatchObject({ ok: false, code: 'disconnected' });
    await expect(stage.client.join()).resolves.toMatchObject({ ok: false, code: 'disconnected' });
    stage.clock.advance(600_000);
    expect(stage.server.sockets).toHaveLength(1);
    expect(stage.client.view.connection).toEqual({ state: 'stopped', reason: 'by-user' });
  });
});

describe('connection', () => {
  test('8.3 a lost connection comes back within the bound of the first attempt', () => {
    const stage = new Stage().enter();
    stage.clock.advance(STEADY_AFTER_MS);
    stage.socket.lose();
    expect(stage.client.view.connection).toMatchObject({ state: 'reconnecting', attempt: 1 });
    stage.clock.advance(RECONNECT_BASE_MS);
    expect(stage.server.sockets).toHaveLength(2);
  });

  test('8.3 servers that fail at once are tried more and more rarely, and a steady one resets that', () => {
    const stage = new Stage({ random: () => 0.999_999 }).enter();
    const attempts: number[] = [];
    for (let round = 0; round < 3; round++) {
      stage.comeBack();
      stage.socket.lose();
      const { connection } = stage.client.view;
      attempts.push(connection.state === 'reconnecting' ? connection.attempt : 0);
      stage.awaitSocket();
      stage.welcome();
    }
    expect(attempts).toEqual([2, 4, 6]);
    stage.clock.advance(STEADY_AFTER_MS);
    stage.socket.lose();
    expect(stage.client.view.connection).toMatchObject({ attempt: 1 });
  });

  test('8.4 `moving` leads to another socket at a moment of the spread', () => {
    const stage = new Stage({ random: () => 0.5 }).enter();
    stage.socket.say({ type: 'moving', spreadMs: 8_000 });
    stage.clock.advance(3_999);
    expect(stage.server.sockets).toHaveLength(1);
    stage.clock.advance(1);
    expect(stage.server.sockets).toHaveLength(2);
    expect(stage.server.sockets[0]?.ended).toBe(true);
    stage.welcome();
    expect(stage.socket.last('enter').show).toBe(SHOW);
  });

  test('2.5 a server that says no welcome is left', () => {
    const stage = new Stage();
    stage.client.start();
    stage.socket.accept();
    stage.clock.advance(WELCOME_TIMEOUT_MS);
    expect(stage.client.view.connection.state).toBe('reconnecting');
    expect(stage.socket.ended).toBe(true);
  });

  test('8.5 a ping follows silence; an answer keeps the connection, more silence ends it', () => {
    const stage = new Stage().enter();
    stage.clock.advance(SILENCE_BEFORE_PING_MS);
    stage.socket.answer('ping', { type: 'pong', now: stage.clock.now() });
    stage.clock.advance(SILENCE_BEFORE_PING_MS);
    expect(stage.client.view.connection.state).toBe('open');
    expect(stage.socket.all('ping')).toHaveLength(2);
    stage.clock.advance(SILENCE_BEFORE_PING_MS);
    expect(stage.client.view.connection.state).toBe('reconnecting');
  });

  test('8.5 silence is noticed as soon on a machine whose clock was set back', () => {
    const stage = new Stage().enter();
    stage.clock.set(-3_600_000);
    stage.clock.advance(4 * SILENCE_BEFORE_PING_MS);
    expect(stage.client.view.connection.state).toBe('reconnecting');
  });

  test('1.7 a frame that cannot be read ends the connection, and another one follows', () => {
    const stage = new Stage().enter();
    stage.socket.sayBytes(Uint8Array.of(0x91, 0x3f));
    expect(stage.client.view.connection.state).toBe('reconnecting');
    stage.awaitSocket();
    expect(stage.server.sockets).toHaveLength(2);
  });

  test('3.3 an answer of a kind that the request does not have ends the connection', () => {
    const stage = new Stage().enter();
    void stage.client.join();
    stage.socket.answer('join', { type: 'done' });
    expect(stage.client.view.connection.state).toBe('reconnecting');
  });
});

/** As long as a page may show seats that are no longer live. */
const LIVE_WITHIN_MS = 3_000;

/** A stage whose surroundings know of the network. */
function hintedStage(): { stage: Stage; hint: (hint: NetworkHint) => void; listeners: () => number } {
  const heard = new Set<(hint: NetworkHint) => void>();
  const hints = (listener: (hint: NetworkHint) => void) => {
    heard.add(listener);
    return () => heard.delete(listener);
  };
  return {
    stage: new Stage({ hints }).enter(),
    hint: (hint) => {
      for (const listener of heard) listener(hint);
    },
    listeners: () => heard.size,
  };
}

describe('a silent network', () => {
  test('8.5 whoever looks at seats hears within 3 s that they are no longer live', () => {
    const stage = new Stage().enter();
    stage.client.lookAtSeats(true);
    stage.clock.advance(SILENCE_IN_VIEW_MS);
    expect(stage.socket.all('ping')).toHaveLength(1);
    expect(stage.client.view.connection.state).toBe('open');
    stage.clock.advance(LIVE_WITHIN_MS - SILENCE_IN_VIEW_MS);
    expect(stage.client.view.connection.state).toBe('silent');
    expect(stage.socket.ended).toBe(false);
  });

  test('8.5 any word makes a silent connection live again, and its next silence is noticed as soon', () => {
    const stage = new Stage().enter();
    stage.client.lookAtSeats(true);
    stage.clock.advance(LIVE_WITHIN_MS);
    stage.socket.answer('ping', { type: 'pong', now: stage.clock.now() });
    expect(stage.client.view.connection.state).toBe('open');
    stage.clock.advance(LIVE_WITHIN_MS);
    expect(stage.client.view.connection.state).toBe('silent');
    expect(stage.server.sockets).toHaveLength(1);
  });

  test('8.5 a silent socket is left as late as ever: a busy server must not lose its buyers all at once', () => {
    const stage = new Stage().enter();
    stage.client.lookAtSeats(true);
    stage.clock.advance(SILENCE_IN_VIEW_MS + SILENCE_BEFORE_PING_MS - 1);
    expect(stage.client.view.connection.state).toBe('silent');
    stage.clock.advance(1);
    expect(stage.client.view.connection.state).toBe('reconnecting');
  });

  test('8.5 who begins to look after a long silence asks at once', () => {
    const stage = new Stage().enter();
    stage.clock.advance(SILENCE_BEFORE_PING_MS - 1);
    stage.client.lookAtSeats(true);
    expect(stage.socket.all('ping')).toHaveLength(1);
    stage.client.lookAtSeats(false);
    stage.socket.answer('ping', { type: 'pong', now: stage.clock.now() });
    stage.clock.advance(LIVE_WITHIN_MS);
    expect(stage.socket.all('ping')).toHaveLength(1);
  });

  test.each(['lost', 'back'] as const)('8.7 a hint that the network is %s asks at once', (word) => {
    const { stage, hint } = hintedStage();
    hint(word);
    hint(word);
    expect(stage.socket.all('ping')).toHaveLength(1);
    stage.socket.answer('ping', { type: 'pong', now: stage.clock.now() });
    stage.clock.advance(2 * PING_ANSWER_MS);
    expect(stage.client.view.connection.state).toBe('open');
    expect(stage.server.sockets).toHaveLength(1);
  });

  test('8.7 a socket that does not answer after a hint is left for another', () => {
    const { stage, hint } = hintedStage();
    hint('back');
    stage.clock.advance(PING_ANSWER_MS);
    expect(stage.client.view.connection.state).toBe('reconnecting');
    expect(stage.socket.ended).toBe(true);
  });

  test('8.7 a network that is back ends the wait for the next attempt', () => {
    const { stage, hint } = hintedStage();
    stage.socket.lose();
    hint('lost');
    expect(stage.server.sockets).toHaveLength(1);
    hint('back');
    expect(stage.server.sockets).toHaveLength(2);
    stage.clock.advance(RECONNECT_BASE_MS);
    expect(stage.server.sockets).toHaveLength(2);
  });

  test('8.7 a stopped client listens to nothing', () => {
    const { stage, listeners } = hintedStage();
    expect(listeners()).toBe(1);
    stage.client.stop();
    expect(listeners()).toBe(0);
  });
});
