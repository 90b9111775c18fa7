import {
  type HoldEndReason,
  holdEndReasonNumbers,
  type OrderMessage,
  type OutsideReason,
  outsideReasonNumbers,
} from '@stampede/shared/protocol/messages.ts';
import type { SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import { holdToken, type SessionId, sessionId } from '../platform/ids.ts';
import { listOf, numberOf, numbersOf, textOf, unpack } from '../platform/redis-packing.ts';
import { FieldReader, holdOfRecord } from './redis-hold-record.ts';
import type { FeedEntry, Notice, SeatChange } from './show-feed.ts';

/** The byte before elements of fixed fields: it begins no MessagePack. */
const PACKED = 0xc1;

/**
 * Reads one entry of a feed's stream as `lua/write-feed.lua` describes it: what one step changed, in order. A notice
 * of a newer version, which writes beside this one during a deploy, is skipped: the seats go on [P5].
 */
export function feedEntriesOf(bytes: unknown, onUnknownNotice: () => void = ignore): readonly FeedEntry[] {
  const known = (changes: readonly SeatChange[], notice: Notice | null | undefined): FeedEntry => {
    if (notice === undefined) onUnknownNotice();
    return { changes, notice: notice ?? null };
  };
  if (Buffer.isBuffer(bytes) && bytes[0] === PACKED) {
    const entries: FeedEntry[] = [];
    const elements = new FieldReader(bytes.subarray(1));
    while (!elements.isAtEnd) {
      const [kind, count, size] = [elements.byte(), elements.uint32(), elements.uint32()];
      const changes = Array.from({ length: count }, () => changeOf(elements.uint32()));
      entries.push(known(changes, noticeOfFields(kind, elements.part(size))));
    }
    return entries;
  }
  return listOf(unpack(bytes)).map((element) => {
    const [changes, packed] = listOf(element);
    return known(changesOf(changes), packed === false ? null : noticeOf(packed));
  });
}

/** Undefined if this version doesn't know what it tells. */
function noticeOfFields(kind: number, fields: FieldReader): Notice | null | undefined {
  switch (kind) {
    case 0:
      return null;
    case 1:
      return { kind: 'hold', session: sessionId(fields.text()), hold: holdOfRecord(fields) };
    case 2: {
      const [token, revision, reason] = [holdToken(fields.number()), fields.number(), fields.text()];
      const session = sessionId(fields.text());
      if (!isHoldEndReason(reason)) return undefined;
      return { kind: 'hold-ended', session, holdToken: token, seats: fields.seats(), reason, revision };
    }
    case 3:
      // Written by `RedisSeatStore.settle` from an `OrderMessage`; Redis only carries the text.
      return {
        kind: 'order',
        session: sessionId(fields.text()),
        order: JSON.parse(fields.rest()) as OrderMessage,
      };
    case 4:
      return noticeOf(unpack(fields.bytes()));
    default:
      return undefined;
  }
}

/** A seat times 4 plus its status, two bits that only our scripts wrote. */
function changeOf(packed: number): SeatChange {
  return { seat: packed >>> 2, status: (packed & 3) as SeatStatus };
}

const ignore = (): void => undefined;

function changesOf(value: unknown): readonly SeatChange[] {
  const flat = numbersOf(value);
  const changes: SeatChange[] = [];
  // Our own scripts wrote the status, and a byte of two bits holds nothing else.
  for (let at = 0; at + 1 < flat.length; at += 2) {
    changes.push({ seat: flat[at] ?? 0, status: (flat[at + 1] ?? 0) as SeatStatus });
  }
  return changes;
}

/** Undefined if this version doesn't know what it tells. */
function noticeOf(value: unknown): Notice | undefined {
  const [kind, first, second] = listOf(value);
  switch (kind) {
    case 'admitted':
      return { kind, admissions: admissionsOf(first) };
    case 'outside': {
      const reason = textOf(second);
      return isOutsideReason(reason) ? { kind, session: sessionOf(first), reason } : undefined;
    }
    default:
      return undefined;
  }
}

function admissionsOf(value: unknown): readonly { session: SessionId; deadline: number }[] {
  const flat = listOf(value);
  const admissions: { session: SessionId; deadline: number }[] = [];
  for (let at = 0; at < flat.length; at += 2) {
    admissions.push({ session: sessionOf(flat[at]), deadline: numberOf(flat[at + 1]) });
  }
  return admissions;
}

function sessionOf(value: unknown): SessionId {
  return sessionId(textOf(value));
}

function isHoldEndReason(text: string): text is HoldEndReason {
  return Object.hasOwn(holdEndReasonNumbers, text);
}

function isOutsideReason(text: string): text is OutsideReason {
  return Object.hasOwn(outsideReasonNumbers, text);
}
