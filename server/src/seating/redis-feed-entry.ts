import {
  type HoldEndReason,
  holdEndReasonNumbers,
  type OrderMessage,
  type OutsideReason,
  outsideReasonNumbers,
} from '@stampede/shared/protocol/messages.ts';
import type { SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import { holdToken, orderId, type SessionId, sessionId } from '../platform/ids.ts';
import { listOf, numberOf, numbersOf, textOf, textOrNone, unpack } from '../platform/redis-packing.ts';
import type { Hold } from './seat-store.ts';
import type { FeedEntry, Notice, SeatChange } from './show-feed.ts';

/**
 * Reads one entry of a feed's stream as `lua/write-feed.lua` describes it: what one step changed, in order. A notice
 * of a newer version, which writes beside this one during a deploy, is skipped: the seats go on [P5].
 */
export function feedEntriesOf(bytes: unknown, onUnknownNotice: () => void = ignore): readonly FeedEntry[] {
  return listOf(unpack(bytes)).map((element) => {
    const [changes, packed] = listOf(element);
    const notice = packed === false ? null : noticeOf(packed);
    if (notice === undefined) onUnknownNotice();
    return { changes: changesOf(changes), notice: notice ?? null };
  });
}

const ignore = (): void => undefined;

/** Reads a hold as `tuple_of` in `lua/hold-book.lua` packs it. */
export function holdOfTuple(tuple: unknown): Hold {
  // The last three are missing in what versions before this one wrote: to them every order was accepted.
  const [token, seats, amount, expiresAt, extensionsLeft, order, begunAt = 0, accepted = true, revision = 0] =
    listOf(tuple);
  const orderText = textOrNone(order);
  return {
    holdToken: holdToken(numberOf(token)),
    seats: numbersOf(seats),
    amount: numberOf(amount),
    expiresAt: numberOf(expiresAt),
    extensionsLeft: numberOf(extensionsLeft),
    orderId: orderText === null ? null : orderId(orderText),
    begunAt: numberOf(begunAt),
    isAccepted: orderText !== null && accepted === true,
    revision: numberOf(revision),
  };
}

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
  const [kind, first, second, third, fourth, fifth = 0] = listOf(value);
  switch (kind) {
    case 'hold':
      return { kind, session: sessionOf(first), hold: holdOfTuple(second) };
    case 'hold-ended': {
      const seats = numbersOf(third);
      const [token, reason] = [holdToken(numberOf(second)), textOf(fourth)];
      if (!isHoldEndReason(reason)) return undefined;
      return { kind, session: sessionOf(first), holdToken: token, seats, reason, revision: numberOf(fifth) };
    }
    case 'order':
      // Written by `RedisSeatStore.settle` from an `OrderMessage`; Redis only carries the text.
      return { kind, session: sessionOf(first), order: JSON.parse(textOf(second)) as OrderMessage };
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
