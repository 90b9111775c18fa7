import { createHmac, timingSafeEqual } from 'node:crypto';
import { RECEIPT_LENGTH_MAX } from '@stampede/shared/protocol/limits.ts';
import type { SessionId, ShowId } from '../platform/ids.ts';
import type { LostPlace } from './waiting-room-store.ts';

/** Keeps this use of the secret apart from any other use of it. */
const PURPOSE = 'stampede place receipt';
const SCORE_BASE = 36;
const RECEIPT = /^p1\.([0-9a-f-]{36})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;

/**
 * Signed words about places, `p1.<room>.<score>.<HMAC-SHA256>`, which buyers keep: should the waiting room be lost, they
 * bring places and their order back [P4]. One holds for its show and session only. It can't say what became of the
 * place; the room that gave it can, and doesn't believe it (`WaitingRoomStore.join`).
 */
export class PlaceReceipts {
  readonly #secrets: readonly [Uint8Array, ...Uint8Array[]];

  /** @param secrets the first signs; all of them are believed */
  constructor(secrets: readonly [Uint8Array, ...Uint8Array[]]) {
    this.#secrets = secrets;
  }

  sign(show: ShowId, session: SessionId, { room, score }: LostPlace): string {
    const text = `p1.${room}.${score.toString(SCORE_BASE)}`;
    return `${text}.${signature(this.#secrets[0], show, session, text)}`;
  }

  /** The place that a receipt speaks of; null for one that is not ours, or of another show or session. */
  read(show: ShowId, session: SessionId, receipt: string | null): LostPlace | null {
    const parts = receipt !== null && receipt.length <= RECEIPT_LENGTH_MAX ? RECEIPT.exec(receipt) : null;
    if (!parts) return null;
    const [, room = '', score = '', signed = ''] = parts;
    const isOurs = this.#secrets.some((secret) =>
      timingSafeEqual(
        Buffer.from(signed),
        Buffer.from(signature(secret, show, session, `p1.${room}.${score}`)),
      ),
    );
    return isOurs ? { room, score: Number.parseInt(score, SCORE_BASE) } : null;
  }
}

function signature(secret: Uint8Array, show: ShowId, session: SessionId, text: string): string {
  return createHmac('sha256', secret).update(`${PURPOSE}\0${show}.${session}.${text}`).digest('base64url');
}
