import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { BEARER_LENGTH_MAX } from '@stampede/shared/protocol/limits.ts';
import { type SessionId, sessionId } from '../platform/ids.ts';

/** One buyer, any number of tabs. Stateless: everything is in the signed text the client keeps. */
export interface BuyerSession {
  readonly id: SessionId;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** A session with its signed text: the cookie's value, and what other clients present as bearer. */
export interface SignedSession {
  readonly session: BuyerSession;
  readonly bearer: string;
}

/**
 * What a client presented: a session; nothing; or something that is no session (any more), whatever the reason: a
 * forger learns nothing, and an honest client does the same in each case, it asks for a new one.
 */
export type SessionReading =
  | { readonly kind: 'session'; readonly session: BuyerSession }
  | { readonly kind: 'absent' }
  | { readonly kind: 'stale' };

const SESSION_COOKIE = 'stampede_session';
const SESSION_LIFETIME_MS = 7 * 24 * 60 * 60 * 1_000;

const ID_BYTES = 16;
/** Signed along with the rest: a later format can't be passed off as this one. */
const VERSION = 's1';
/** Keeps this use of the secret apart from any other use of it. */
const PURPOSE = 'stampede buyer session';
const SIGNED_SESSION = /^s1\.([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;
const EXPIRY_BASE = 36;

const ABSENT: SessionReading = { kind: 'absent' };
const STALE: SessionReading = { kind: 'stale' };

/** Makes and reads buyer sessions `s1.<id>.<expiry>.<HMAC-SHA256>`. All instants come from the caller's clock. */
export class BuyerSessions {
  readonly #secret: Uint8Array;
  readonly #randomBytes: (count: number) => Buffer;

  constructor(secret: Uint8Array, random: (count: number) => Buffer = randomBytes) {
    this.#secret = secret;
    this.#randomBytes = random;
  }

  /** A new buyer. */
  create(now: number): SignedSession {
    const id = sessionId(this.#randomBytes(ID_BYTES).toString('base64url'));
    return this.#sign({ id, expiresAt: now + SESSION_LIFETIME_MS });
  }

  /** The same buyer, signed again: with a new lifetime once half of the old one is over, else unchanged. */
  renew(session: BuyerSession, now: number): SignedSession {
    const isYoung = session.expiresAt - now > SESSION_LIFETIME_MS / 2;
    return this.#sign(isYoung ? session : { id: session.id, expiresAt: now + SESSION_LIFETIME_MS });
  }

  /** Reads the text itself, as the `authenticate` message carries it. */
  readBearer(bearer: string, now: number): SessionReading {
    if (bearer === '') return ABSENT;
    const parts = bearer.length <= BEARER_LENGTH_MAX ? SIGNED_SESSION.exec(bearer) : null;
    if (!parts) return STALE;
    const [, id = '', expiry = '', signature = ''] = parts;
    if (!timingSafeEqual(Buffer.from(signature), Buffer.from(this.#signature(id, expiry)))) return STALE;
    const expiresAt = Number.parseInt(expiry, EXPIRY_BASE);
    return expiresAt > now ? { kind: 'session', session: { id: sessionId(ownText(id)), expiresAt } } : STALE;
  }

  /** Reads a `Cookie` header. Of several cookies of our name the first good one counts. */
  readCookie(cookieHeader: string, now: number): SessionReading {
    let reading = ABSENT;
    for (const pair of cookieHeader.split(';')) {
      const at = pair.indexOf('=');
      if (at < 0 || pair.slice(0, at).trim() !== SESSION_COOKIE) continue;
      const one = this.readBearer(pair.slice(at + 1).trim(), now);
      if (one.kind === 'session') return one;
      if (one.kind === 'stale') reading = STALE;
    }
    return reading;
  }

  /** Reads what an HTTP request carries: `Authorization: Bearer …` if there, else the cookie. */
  readRequest(
    headers: { readonly authorization: string; readonly cookie: string },
    now: number,
  ): SessionReading {
    const bearer = /^Bearer +(\S+) *$/i.exec(headers.authorization)?.[1];
    return bearer === undefined ? this.readCookie(headers.cookie, now) : this.readBearer(bearer, now);
  }

  #sign(session: BuyerSession): SignedSession {
    const expiry = session.expiresAt.toString(EXPIRY_BASE);
    const bearer = `${VERSION}.${session.id}.${expiry}.${this.#signature(session.id, expiry)}`;
    return { session, bearer };
  }

  #signature(id: string, expiry: string): string {
    return createHmac('sha256', this.#secret)
      .update(`${PURPOSE}\0${VERSION}.${id}.${expiry}`)
      .digest('base64url');
  }
}

/** The same text with memory of its own: a part of a text keeps all of it alive, here a whole header per socket. */
function ownText(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}

/** The `Set-Cookie` value of a session. `secure` where the client spoke https: over plain http it would be lost. */
export function sessionCookie({ session, bearer }: SignedSession, secure: boolean, now: number): string {
  const maxAgeSeconds = Math.max(0, Math.floor((session.expiresAt - now) / 1_000));
  const attributes = `Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  return `${SESSION_COOKIE}=${bearer}; ${attributes}`;
}
