import {
  type HoldEndReason,
  holdEndReasonNumbers,
  type OrderMessage,
  type OutsideReason,
  outsideReasonNumbers,
} from '@stampede/shared/protocol/messages.ts';
import type { SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import { holdToken, orderId, type SessionId, sessionId } from '../platform/ids.ts';
import { FieldReader } from '../platform/redis-packing.ts';
import type { FeedEntry, Hold, Notice } from './show-feed.ts';

/**
 * Reads one entry of a feed's stream as `lua/write-feed.lua` describes it: what one step changed, in order. A notice
 * of a newer version, which writes beside this one during a deploy, is skipped: the seats go on [P5].
 */
export function feedEntriesOf(bytes: unknown, onUnknownNotice: () => void = ignore): readonly FeedEntry[] {
  const entries: FeedEntry[] = [];
  const elements = new FieldReader(bytes);
  while (!elements.isAtEnd) {
    const [kind, count, size] = [elements.byte(), elements.uint32(), elements.uint32()];
    // A seat times 4 plus its status, two bits that only our scripts wrote.
    const changes = Array.from({ length: count }, () => {
      const packed = elements.uint32();
      return { seat: packed >>> 2, status: (packed & 3) as SeatStatus };
    });
    const notice = noticeOf(kind, elements.part(size));
    if (notice === undefined) onUnknownNotice();
    entries.push({ changes, notice: notice ?? null });
  }
  return entries;
}

const ignore = (): void => undefined;

/** Undefined if this version doesn't know what it tells. */
function noticeOf(kind: number, fields: FieldReader): Notice | null | undefined {
  switch (kind) {
    case 0:
      return null;
    case 1:
      return { kind: 'hold', session: sessionId(fields.text()), hold: holdOfRecord(fields) };
    case 2: {
      const [token, revision, reason] = [holdToken(fields.number()), fields.number(), fields.text()];
      const session = sessionId(fields.text());
      if (!isHoldEndReason(reason)) return undefined;
      return { kind: 'hold-ended', session, holdToken: token, seats: fields.uint32s(), reason, revision };
    }
    case 3: {
      const session = sessionId(fields.text());
      // Written by `RedisSeatStore.settle` from an `OrderMessage`; Redis only carries the text.
      return { kind: 'order', session, order: JSON.parse(fields.rest()) as OrderMessage };
    }
    case 4: {
      const admissions: { session: SessionId; deadline: number }[] = [];
      while (!fields.isAtEnd) {
        admissions.push({ deadline: fields.number(), session: sessionId(fields.text()) });
      }
      return { kind: 'admitted', admissions };
    }
    case 5: {
      const [session, reason] = [sessionId(fields.text()), fields.rest()];
      return isOutsideReason(reason) ? { kind: 'outside', session, reason } : undefined;
    }
    default:
      return undefined;
  }
}

function isHoldEndReason(text: string): text is HoldEndReason {
  return Object.hasOwn(holdEndReasonNumbers, text);
}

function isOutsideReason(text: string): text is OutsideReason {
  return Object.hasOwn(outsideReasonNumbers, text);
}

/** How `seating/lua/hold-book.lua` calls the stage of a checkout whose request the payment log has. */
const ACCEPTED = 3;

/** Reads a hold as `seating/lua/hold-book.lua` keeps it and tells of it. */
export function holdOfRecord(record: FieldReader): Hold {
  const token = holdToken(record.number());
  const [expiresAt, revision, amount] = [record.number(), record.number(), record.number()];
  const [extensionsLeft, stage, count] = [record.byte(), record.byte(), record.uint32()];
  const packed = record.part(record.uint32());
  const seats = Array.from({ length: count }, () => {
    const seat = packed.uint32();
    // Its price, when and how often it was taken, and from where, are for the scripts.
    packed.part(17);
    packed.text();
    return seat;
  });
  const hold = { holdToken: token, seats, amount, expiresAt, extensionsLeft, revision };
  if (stage === 0) return { ...hold, orderId: null, begunAt: 0, isAccepted: false };
  let [begunAt, order] = [0, ''];
  while (!record.isAtEnd) {
    record.part(16);
    begunAt = record.number();
    record.text();
    order = record.text();
  }
  return { ...hold, orderId: orderId(order), begunAt, isAccepted: stage === ACCEPTED };
}
