import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { SessionId } from '../platform/ids.ts';

/** The first score of those who come after the opening: one past the largest a draw can give. */
export const LATE_SCORE_MIN = 2 ** 52;

const BYTES_WHOLE = 6;
const HALF_BYTE = 16;

/** Making a key takes four times as long as signing with it, and a lobby is a hundred thousand draws with one. */
const keys = new Map<string, KeyObject>();
/** One a show that is on sale; the oldest is made anew if it is needed again [P7]. */
const KEYS_KEPT = 100;

/**
 * The score of somebody who joins before the opening: the first 52 bits of HMAC-SHA256(seed, session), keyed with
 * the 32 bytes that `drawSeed` (hex) stands for. Smaller is nearer the head. When somebody joins plays no part, and
 * joining again after leaving gives the same score, so that nobody can draw twice. 52 bits stay exact in a double,
 * which is what scores of a Redis sorted set are.
 *
 * Anyone can check a draw: the hash that `drawCommitment` gives was published with the on-sale and the seed
 * after its opening. `printf %s SEED | xxd -r -p | sha256sum` must print the commitment, and the first 13 hex
 * digits of `printf %s SESSION | openssl dgst -sha256 -mac hmac -macopt hexkey:SEED` are the session's score. An
 * organiser who picks a seed to favour somebody would have to know all sessions before the lobby opens.
 */
export function drawScore(drawSeed: string, session: SessionId): number {
  const digest = createHmac('sha256', keyOf(drawSeed)).update(session).digest();
  return digest.readUIntBE(0, BYTES_WHOLE) * HALF_BYTE + (digest.readUInt8(BYTES_WHOLE) >> 4);
}

function keyOf(drawSeed: string): KeyObject {
  const known = keys.get(drawSeed);
  if (known) return known;
  const key = createSecretKey(drawSeed, 'hex');
  const [oldest] = keys.keys();
  if (keys.size >= KEYS_KEPT && oldest !== undefined) keys.delete(oldest);
  keys.set(drawSeed, key);
  return key;
}

/**
 * The score of somebody who joins after the opening: behind the whole draw, first come, first served. `late` rises
 * with everybody who joins; it is the time since the opening rather than a count, so that a room which lost its places
 * goes on behind them.
 */
export function lateScore(late: number): number {
  return LATE_SCORE_MIN + late;
}

/** Hex SHA-256 of the seed's bytes: published before the draw, so that the seed can't be changed afterwards. */
export function drawCommitment(drawSeed: string): string {
  return createHash('sha256').update(Buffer.from(drawSeed, 'hex')).digest('hex');
}
