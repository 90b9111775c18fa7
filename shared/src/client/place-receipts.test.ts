import { expect, test } from 'vitest';
import { SHOW, Stage } from './testing/show-script.ts';

const RECEIPT = 'p1.room.score.signature';

function waitingStage(): Stage {
  const stage = new Stage().enter();
  void stage.client.join();
  expect(stage.socket.last('join')).toMatchObject({ receipt: null });
  stage.socket.answer('join', { type: 'waiting', position: 12, behind: 3, wait: null });
  stage.socket.say({ type: 'place', receipt: RECEIPT });
  return stage;
}

test('4.6 a place that the server does not know of is asked for by itself, with its receipt', () => {
  const stage = waitingStage();
  stage.socket.say({ type: 'outside', requestId: 0, reason: 'not-joined' });
  expect(stage.socket.last('join')).toMatchObject({ receipt: RECEIPT });
});

test('4.6 while the server is busy with its loss the place is asked for again', async () => {
  const stage = waitingStage();
  stage.socket.say({ type: 'outside', requestId: 0, reason: 'not-joined' });
  const { requestId } = stage.socket.last('join');
  stage.socket.answer('join', { type: 'refused', code: 'busy', seats: [], detail: '', retryAfterMs: 800 });
  await Promise.resolve().then(() => undefined);
  await new Promise(setImmediate);
  stage.clock.advance(800);
  expect(stage.socket.last('join')).toMatchObject({ receipt: RECEIPT });
  expect(stage.socket.last('join').requestId).not.toBe(requestId);
});

test.each(['left', 'expired', 'finished'] as const)('4.6 a place that ended is forgotten: %s', (reason) => {
  const stage = waitingStage();
  const joins = () => stage.socket.received.filter(({ type }) => type === 'join').length;
  const before = joins();
  stage.socket.say({ type: 'outside', requestId: 0, reason });
  stage.socket.say({ type: 'outside', requestId: 0, reason: 'not-joined' });
  expect(joins()).toBe(before);
  void stage.client.join();
  expect(stage.socket.last('join')).toMatchObject({ receipt: null });
});

test('4.6 receipts are kept by show', () => {
  const kept = new Map<number, string | null>();
  const receipts = {
    read: (show: number) => kept.get(show) ?? null,
    keep: (show: number, receipt: string | null) => void kept.set(show, receipt),
  };
  const stage = new Stage({ receipts }).enter();
  stage.socket.say({ type: 'place', receipt: RECEIPT });
  expect([...kept]).toEqual([[SHOW, RECEIPT]]);
});
