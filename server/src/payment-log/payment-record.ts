import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { holdToken, orderId, sessionId, showId } from '../platform/ids.ts';
import type { PaymentRequest } from './payment-log.ts';

const whole = z.int().min(0);

const paymentRequest = z.object({
  orderId: z.string().min(1).transform(orderId),
  show: z.int().min(1).transform(showId),
  session: z.string().min(1).transform(sessionId),
  holdToken: whole.transform(holdToken),
  idempotencyKey: z.string().min(1),
  seats: z.array(whole).min(1),
  amount: whole,
  currency: z.string().length(3),
  createdAt: whole,
  payBy: whole,
});

/** A payment request as a log keeps it. */
export interface PaymentRecord {
  /** Which form the text has: `payment-request/1`. */
  readonly schema: string;
  /** JSON: 300 bytes, and readable with a log's own tools when something went wrong. */
  readonly text: string;
  /** Says that a process of ours wrote it; empty where nobody says so. */
  readonly mac: string;
}

/** What a worker finds in a record. */
export type RecordReading =
  | { readonly kind: 'request'; readonly request: PaymentRequest }
  /** Ours, in a form that a newer version writes: for workers of that version. */
  | { readonly kind: 'newer'; readonly cause: Error }
  /** Nobody of ours wrote it: whoever reaches the log could have buyers charged. */
  | { readonly kind: 'forged'; readonly cause: Error }
  | { readonly kind: 'unreadable'; readonly cause: Error };

/** Rises when workers of the version before could not settle what is written. */
const VERSION = 1;
const schemaOf = (version: number): string => `payment-request/${String(version)}`;
const SCHEMA = /^payment-request\/(\d{1,6})$/;
/** Keeps this use of the secret apart from any other use of it. */
const PURPOSE = 'stampede payment record';

/** Writes and reads payment records, sealed by the secrets that gateways and workers share. */
export class PaymentRecords {
  readonly #secrets: readonly [Uint8Array, ...Uint8Array[]];
  readonly #version: number;

  /**
   * @param secrets the newest first: it seals, the others are still believed
   * @param version the form that is written and the newest that is read; another one for tests of versions side by side
   */
  constructor(secrets: readonly [Uint8Array, ...Uint8Array[]], version = VERSION) {
    this.#secrets = secrets;
    this.#version = version;
  }

  write(request: PaymentRequest): PaymentRecord {
    return this.seal(JSON.stringify(request), this.#version);
  }

  /** A record with a text of one's own, as other versions write it. */
  seal(text: string, version: number): PaymentRecord {
    const schema = schemaOf(version);
    return { schema, text, mac: macOf(this.#secrets[0], schema, text) };
  }

  /** The seal is looked at first: nothing that a stranger wrote is believed, not even that it is newer. */
  read({ schema, text, mac }: PaymentRecord): RecordReading {
    if (!this.#secrets.some((secret) => isSame(mac, macOf(secret, schema, text)))) {
      return { kind: 'forged', cause: new Error('a payment record without the seal of this installation') };
    }
    const version = Number(SCHEMA.exec(schema)?.[1] ?? NaN);
    if (version > this.#version)
      return { kind: 'newer', cause: new Error(`a payment record of the form ${schema}`) };
    try {
      if (!(version >= VERSION))
        throw new Error(`a payment record of the unknown form ${JSON.stringify(schema)}`);
      return { kind: 'request', request: paymentRequest.parse(JSON.parse(text)) };
    } catch (cause) {
      return { kind: 'unreadable', cause: cause instanceof Error ? cause : new Error(String(cause)) };
    }
  }
}

function macOf(secret: Uint8Array, schema: string, text: string): string {
  return createHmac('sha256', secret)
    .update(JSON.stringify([PURPOSE, schema, text]))
    .digest('base64url');
}

function isSame(given: string, right: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(right)];
  return one.length === other.length && timingSafeEqual(one, other);
}
