import { RECEIPT_LENGTH_MAX } from '@stampede/shared/protocol/limits.ts';
import { expect, test } from 'vitest';
import { sessionId, showId } from '../platform/ids.ts';
import { LATE_SCORE_MIN } from './draw-score.ts';
import { PlaceReceipts } from './place-receipts.ts';

const place = { room: '0b1e9c52-6a55-4a53-9d0c-3f1c8f0f6a11', score: LATE_SCORE_MIN + 12_345_678_901 };
const [show, otherShow] = [showId(7), showId(8)];
const [anna, ben] = [sessionId('anna'), sessionId('ben')];
const receipts = new PlaceReceipts([Buffer.alloc(32, 1), Buffer.alloc(32, 2)]);
const receipt = receipts.sign(show, anna, place);

test('a receipt says which place it is for, within its bound', () => {
  expect(receipts.read(show, anna, receipt)).toEqual(place);
  expect(receipt.length).toBeLessThanOrEqual(RECEIPT_LENGTH_MAX);
});

test('[P6] it holds for its session and its show, and for nothing that was changed in it', () => {
  expect(receipts.read(show, ben, receipt)).toBeNull();
  expect(receipts.read(otherShow, anna, receipt)).toBeNull();
  const [version, room, , signed] = receipt.split('.');
  expect(receipts.read(show, anna, [version, room, '0', signed].join('.'))).toBeNull();
  expect(new PlaceReceipts([Buffer.alloc(32, 3)]).read(show, anna, receipt)).toBeNull();
});

test('after a change of secrets those of the old one are believed', () => {
  const old = new PlaceReceipts([Buffer.alloc(32, 2)]).sign(show, anna, place);
  expect(receipts.read(show, anna, old)).toEqual(place);
});

test.each([null, '', 'p1', `${receipt}x`, receipt.slice(0, -1), 'x'.repeat(10_000)])(
  '[P7] what is none is none: %#',
  (text) => {
    expect(receipts.read(show, anna, text)).toBeNull();
  },
);
