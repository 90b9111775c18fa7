import { createHash, createHmac } from 'node:crypto';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { SessionId } from '../platform/ids.ts';

/** Crockford's: no letter that is read as another or as a digit, and no U, which keeps words out. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE = /^[0-9A-HJKMNP-TV-Z]{16}$/;
/** 80 bits: with a million codes out, a guess in 2^60 is right. */
const SYMBOLS = 16;
const BASE = 32;
const CODE_BYTES = 10;
const GROUP = /.{4}(?=.)/g;

/** Keep these uses of secret and hash apart from any other. */
const PURPOSE = 'stampede ticket recovery';
const DIGEST_PURPOSE = 'stampede recovery code';

/** Whose tickets a recovery code brings back. Codes come as digests only. */
export interface RecoveryStore {
  /** Remembers a code for good; remembering it again changes nothing. */
  remember(codeDigest: string, session: SessionId, now: number): Promise<void>;
  sessionOf(codeDigest: string): Promise<SessionId | null>;
}

interface RecoveryParts {
  readonly secret: Uint8Array;
  readonly store: RecoveryStore;
  readonly hasTickets: (session: SessionId) => Promise<boolean>;
  readonly clock: Clock;
}

/**
 * Recovery codes: what brings a buyer's tickets back where the cookie is gone (PROTOCOL.md rules 10.6 and 10.7). A
 * code is made from the session, so that it can be shown again without being kept; kept is its digest, so that one
 * that was printed works on after the secret was replaced.
 */
export class TicketRecovery {
  readonly #parts: RecoveryParts;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
  }

  /** A buyer's code in groups of four; null for who has no tickets. */
  async codeOf(session: SessionId): Promise<string | null> {
    const { secret, store, hasTickets, clock } = this.#parts;
    if (!(await hasTickets(session))) return null;
    const mac = createHmac('sha256', secret).update(`${PURPOSE}\0${session}`).digest();
    const code = symbolsOf(mac.subarray(0, CODE_BYTES));
    await store.remember(digestOf(code), session, clock.now());
    return code.replaceAll(GROUP, '$&-');
  }

  /** Whose code it is, however it was typed; null if nobody's. */
  async sessionOf(typed: string): Promise<SessionId | null> {
    const code = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
    return CODE.test(code) ? this.#parts.store.sessionOf(digestOf(code)) : null;
  }
}

/** The last five bits first. */
function symbolsOf(bytes: Uint8Array): string {
  const digits = BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
    .toString(BASE)
    .padStart(SYMBOLS, '0');
  return Array.from(digits, (digit) => ALPHABET[Number.parseInt(digit, BASE)])
    .reverse()
    .join('');
}

function digestOf(code: string): string {
  return createHash('sha256').update(`${DIGEST_PURPOSE}\0${code}`).digest('base64url');
}
