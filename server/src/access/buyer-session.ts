import {
  createHash,
  createHmac,
  createSecretKey,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { BEARER_LENGTH_MAX } from '@stampede/shared/protocol/limits.ts';
import { type SessionId, sessionId } from '../platform/ids.ts';

/** One buyer, any number of tabs. Stateless: everything is in the signed text the client keeps. */
export interface BuyerSession {
  readonly id: SessionId;
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** A session with its signed text: the cookie's value, or what other clients present as bearer. */
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

/** What a request says about its session, and whether it came by https. Header values are empty where absent. */
export interface Credentials {
  readonly authorization: string;
  readonly cookie: string;
  readonly https: boolean;
}

const COOKIE = 'stampede_session';
/** A name that browsers take only from this very host, by https and for all of it: nobody beside us can plant one. */
const SECURE_COOKIE = `__Host-${COOKIE}`;

/** What the cookie is called: over https by a name that nobody beside us can plant. */
export function sessionCookieName(https: boolean): string {
  return https ? SECURE_COOKIE : COOKIE;
}

const DAY_MS = 24 * 60 * 60 * 1_000;
const LIFETIME_MS = 7 * DAY_MS;
/** Tickets are wanted on the day of the show, and a last time after it. */
const AFTER_SHOW_MS = 2 * DAY_MS;
/** As long as browsers keep a cookie. */
const LIFETIME_MAX_MS = 400 * DAY_MS;

const ID_BYTES = 16;
const KEY_ID_BYTES = 6;
/** Signed along with the rest: another format can't be passed off as this one. */
const VERSION = 's2';
/** Keeps this use of the secret apart from any other use of it. */
const PURPOSE = 'stampede buyer session';
const KEY_ID_PURPOSE = 'stampede key id';
const SIGNED_SESSION = /^s2\.([A-Za-z0-9_-]{8})\.([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;
const EXPIRY_BASE = 36;

const ABSENT: SessionReading = { kind: 'absent' };
const STALE: SessionReading = { kind: 'stale' };

/**
 * Makes and reads buyer sessions `s2.<key id>.<id>.<expiry>.<HMAC-SHA256>`. The first secret signs, all of them are
 * believed: a new one is put in front, and the old one goes when its sessions have ended. All instants come from the
 * caller's clock.
 */
export class BuyerSessions {
  readonly #keyId: string;
  /** As the library keeps them: signing with bare bytes takes four times as long. */
  readonly #secrets: ReadonlyMap<string, KeyObject>;

  constructor(secrets: readonly [Uint8Array, ...Uint8Array[]]) {
    this.#keyId = keyIdOf(secrets[0]);
    this.#secrets = new Map(secrets.map((secret) => [keyIdOf(secret), createSecretKey(secret)]));
  }

  /** A new buyer, for shows of which the last begins at `lastShowAt`. */
  create(now: number, lastShowAt = 0): SignedSession {
    return this.open(sessionId(randomBytes(ID_BYTES).toString('base64url')), now, lastShowAt);
  }

  /** A new signed text for a buyer who is known: for seven days, and until the last show is over. */
  open(id: SessionId, now: number, lastShowAt = 0): SignedSession {
    return this.#sign({ id, expiresAt: Math.max(now + LIFETIME_MS, neededUntil(now, lastShowAt)) });
  }

  /** The same buyer, signed again: with a new lifetime where the old one is half over or too short for a show. */
  renew(session: BuyerSession, now: number, lastShowAt = 0): SignedSession {
    const enough = Math.max(now + LIFETIME_MS / 2, neededUntil(now, lastShowAt));
    // Signed before the clock was set back, it may last longer than any cookie.
    const isRight = session.expiresAt >= enough && session.expiresAt <= now + LIFETIME_MAX_MS;
    return isRight ? this.#sign(session) : this.open(session.id, now, lastShowAt);
  }

  /** Reads the text itself, as the `authenticate` message carries it. */
  readBearer(bearer: string, now: number): SessionReading {
    if (bearer === '') return ABSENT;
    const parts = bearer.length <= BEARER_LENGTH_MAX ? SIGNED_SESSION.exec(bearer) : null;
    if (!parts) return STALE;
    const [, keyId = '', id = '', expiry = '', signature = ''] = parts;
    const expected = this.#signature(keyId, id, expiry);
    if (expected === null || !timingSafeEqual(Buffer.from(signature), Buffer.from(expected))) return STALE;
    const expiresAt = Number.parseInt(expiry, EXPIRY_BASE);
    return expiresAt > now ? { kind: 'session', session: { id: sessionId(ownText(id)), expiresAt } } : STALE;
  }

  /** Reads a `Cookie` header. Two cookies of our name are no session: one of them was planted [P6]. */
  readCookie(cookieHeader: string, https: boolean, now: number): SessionReading {
    const name = sessionCookieName(https);
    const values = cookieHeader.split(';').flatMap((pair) => {
      const at = pair.indexOf('=');
      return at >= 0 && pair.slice(0, at).trim() === name ? [pair.slice(at + 1).trim()] : [];
    });
    const [value, ...more] = values;
    if (value === undefined) return ABSENT;
    return more.length > 0 || value === '' ? STALE : this.readBearer(value, now);
  }

  /** Reads `Authorization: Bearer …`, as clients that are no browser send it. */
  readAuthorization(authorization: string, now: number): SessionReading {
    const bearer = /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
    return bearer === undefined ? ABSENT : this.readBearer(bearer, now);
  }

  /** Reads what a request carries: the bearer if there is one, else the cookie. */
  readRequest({ authorization, cookie, https }: Credentials, now: number): SessionReading {
    const reading = this.readAuthorization(authorization, now);
    return reading.kind === 'absent' ? this.readCookie(cookie, https, now) : reading;
  }

  #sign(session: BuyerSession): SignedSession {
    const expiry = session.expiresAt.toString(EXPIRY_BASE);
    const signature = this.#signature(this.#keyId, session.id, expiry);
    return { session, bearer: `${VERSION}.${this.#keyId}.${session.id}.${expiry}.${signature}` };
  }

  /** Null where no secret of ours has that id. */
  #signature(keyId: string, id: string, expiry: string): string | null {
    const secret = this.#secrets.get(keyId);
    if (!secret) return null;
    const hmac = createHmac('sha256', secret).update(`${PURPOSE}\0${VERSION}.${keyId}.${id}.${expiry}`);
    return hmac.digest('base64url');
  }
}

/** A secret's name, which tells nothing of it: nobody has to invent one, and two nodes can't mean different ones. */
function keyIdOf(secret: Uint8Array): string {
  const digest = createHash('sha256').update(`${KEY_ID_PURPOSE}\0`).update(secret).digest();
  return digest.toString('base64url', 0, KEY_ID_BYTES);
}

/** Until when whoever buys for the last show needs the session. */
function neededUntil(now: number, lastShowAt: number): number {
  return Math.min(lastShowAt + AFTER_SHOW_MS, now + LIFETIME_MAX_MS);
}

/** The same text with memory of its own: a part of a text keeps all of it alive, here a whole header per socket. */
function ownText(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}
