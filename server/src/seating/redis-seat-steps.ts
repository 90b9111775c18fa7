import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import { type FieldReader, holdOfRecord } from '../feed/redis-hold-record.ts';
import { orderId } from '../platform/ids.ts';
import { done, refuse } from '../platform/outcome.ts';
import { refusalNamed } from '../platform/redis-refusals.ts';
import type { AnswerTo, SeatStep } from './seat-steps.ts';
import { CHECKOUT_CARE, type SeatRules } from './seat-store.ts';

// What `lua/take-steps.lua` is told and answers, in fixed fields: Redis builds no table to read or write them.

/** No seat of any show; what fits 32 bits and is refused like any seat that isn't there. */
const SEAT_MAX = 2 ** 31 - 1;
const SEAT_BYTES = 4;
const PRICED_SEAT_BYTES = 12;

/** What all steps of a call go by. */
export function packedTerms(rules: SeatRules): Uint8Array {
  return numbers(
    rules.seatCount,
    rules.seatsPerBuyer,
    rules.seatsPerNetwork,
    rules.holdLifetimeMs,
    rules.extensionsMax,
    CHECKOUTS_PER_HOLD_MAX,
    CHECKOUT_CARE.handedOverWithinMs,
    CHECKOUT_CARE.settledWithinMs,
  );
}

export function packedStep(step: SeatStep): Buffer {
  switch (step.kind) {
    case 'hold': {
      const head = [Buffer.from('h'), text(step.network ?? '')];
      const seats = Buffer.alloc(PRICED_SEAT_BYTES * step.seats.length);
      step.seats.forEach((seat, index) => {
        const at = seats.writeInt32LE(fitted(seat), PRICED_SEAT_BYTES * index);
        seats.writeDoubleLE(step.prices[index] ?? 0, at);
      });
      return Buffer.concat([...head, seats]);
    }
    case 'extend':
      return Buffer.concat([Buffer.from('e'), numbers(step.holdToken)]);
    case 'release': {
      const seats = Buffer.alloc(SEAT_BYTES * step.seats.length);
      step.seats.forEach((seat, index) => seats.writeInt32LE(fitted(seat), SEAT_BYTES * index));
      return Buffer.concat([Buffer.from('r'), numbers(step.holdToken), seats]);
    }
    case 'checkout': {
      const { holdToken, amount, keepMs, idempotencyKey } = step;
      const terms = numbers(holdToken, amount, keepMs);
      return Buffer.concat([Buffer.from('c'), terms, text(idempotencyKey), text(step.orderId)]);
    }
    case 'accept':
      return Buffer.concat([Buffer.from('a'), text(step.orderId)]);
    case 'abandon':
      return Buffer.concat([Buffer.from('b'), text(step.orderId)]);
  }
}

/** Reads what came of a step. */
export function answerOf(step: SeatStep, fields: FieldReader): AnswerTo<SeatStep> {
  const refused = fields.byte();
  if (refused > 0) {
    const [retryAfterMs, count] = [fields.number(), fields.uint32()];
    // One that no show has may be below 0.
    const seats = Array.from({ length: count }, () => fields.uint32() | 0);
    return refuse(refusalNamed(-refused), { retryAfterMs, seats, detail: fields.rest() });
  }
  if (fields.isAtEnd) return done(null);
  const kind = fields.byte();
  if (kind === 1) return done(holdOfRecord(fields));
  if (kind === 2) {
    const revision = fields.number();
    const token = 'holdToken' in step ? step.holdToken : undefined;
    if (token === undefined) throw new Error(`a step of kind ${step.kind} ended a hold`);
    return done({ holdToken: token, seats: fields.seats(), reason: 'released', revision });
  }
  const [isRepeated, isAccepted, begunAt] = [fields.byte() === 1, fields.byte() === 1, fields.number()];
  const order = orderId(fields.text());
  const hold = { ...holdOfRecord(fields), orderId: order, begunAt, isAccepted };
  return done({ hold, begunAt, repeated: isRepeated });
}

function fitted(seat: number): number {
  return Math.max(-1, Math.min(SEAT_MAX, seat));
}

function numbers(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => bytes.writeDoubleLE(value, 8 * index));
  return bytes;
}

/** A text behind its length. */
function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
