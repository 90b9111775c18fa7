import { z } from 'zod';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { BearerOpened, SessionOpened } from '@stampede/shared/protocol/http.ts';
import { isOriginAllowed } from '../access/allowed-origins.ts';
import {
  type BuyerSessions,
  endedCookie,
  sessionCookie,
  type SessionReading,
  type SignedSession,
} from '../access/buyer-session.ts';
import type { SessionId } from '../platform/ids.ts';
import type { HttpExchange } from './http-exchange.ts';
import { readJson } from './http-json.ts';
import { type HttpLimits, isWithinBudget, noteRefusal } from './http-limits.ts';
import type { ShowDirectory } from './http-shows.ts';

/** Unknown fields are refused, so that a misspelt one isn't ignored. */
const sessionRequest = z.strictObject({ bearer: z.literal(true).optional() });

export interface SessionDependencies extends HttpLimits {
  readonly sessions: BuyerSessions;
  readonly shows: ShowDirectory;
  readonly allowedOrigins: readonly string[];
  readonly clock: Clock;
  /** Closes the sockets of a session on this node. */
  readonly endSession: (session: SessionId) => void;
}

/**
 * `POST /api/sessions` (PROTOCOL.md rules 10.1 and 10.2): 201 with a new session, or 200 with the one the client has,
 * renewed where it is due [P4].
 */
export async function openSession(exchange: HttpExchange, dependencies: SessionDependencies): Promise<void> {
  if (!isFromOurPage(exchange, dependencies)) return;
  const request = await readJson(exchange, sessionRequest);
  if (!request) return;
  const { sessions, shows, clock } = dependencies;
  const now = clock.now();
  const asBearer = request.bearer === true;
  const reading = presented(exchange, sessions, asBearer, now);
  const isKnown = reading.kind === 'session';
  if (reading.kind === 'stale') noteRefusal(exchange, 'session-stale', dependencies);
  if (!isKnown && !(await isWithinBudget(exchange, 'session', dependencies))) return;
  const lastShowAt = lastShowOf(shows);
  const signed = isKnown
    ? sessions.renew(reading.session, now, lastShowAt)
    : sessions.create(now, lastShowAt);
  tellSession(exchange, isKnown ? 200 : 201, { signed, asBearer, now });
}

/** `DELETE /api/sessions` (PROTOCOL.md rule 10.5): nobody is known any more, here and in the browser. */
export function endSession(exchange: HttpExchange, dependencies: SessionDependencies): void {
  if (!isFromOurPage(exchange, dependencies)) return;
  const { https } = exchange.client;
  const reading = dependencies.sessions.readRequest({ ...exchange.headers, https }, dependencies.clock.now());
  if (reading.kind === 'session') dependencies.endSession(reading.session.id);
  exchange.done({ 'Set-Cookie': endedCookie(https) });
}

/** The session of a page's cookie, or of another client's bearer: neither is taken for the other. */
function presented(
  { headers, client }: HttpExchange,
  sessions: BuyerSessions,
  asBearer: boolean,
  now: number,
): SessionReading {
  return asBearer
    ? sessions.readAuthorization(headers.authorization, now)
    : sessions.readCookie(headers.cookie, client.https, now);
}

/** Gives a client its session: as a cookie that no script can read, or as the text itself where that was asked for. */
export function tellSession(
  exchange: HttpExchange,
  status: number,
  { signed, asBearer, now }: { signed: SignedSession; asBearer: boolean; now: number },
): void {
  const { id, expiresAt } = signed.session;
  const opened: SessionOpened = { id, expiresAt: new Date(expiresAt).toISOString() };
  const notKept = { 'Cache-Control': 'no-store' };
  if (asBearer) {
    const body: BearerOpened = { ...opened, bearer: signed.bearer };
    exchange.json(status, body, notKept);
  } else {
    const cookie = sessionCookie(signed, exchange.client.https, now);
    exchange.json(status, opened, { 'Set-Cookie': cookie, ...notKept });
  }
}

/** Whether a page of ours asks, or no page; if not, the exchange has been answered. */
export function isFromOurPage(exchange: HttpExchange, dependencies: SessionDependencies): boolean {
  const { origin, host } = exchange.headers;
  if (isOriginAllowed(origin, host, dependencies.allowedOrigins)) return true;
  noteRefusal(exchange, 'origin', dependencies);
  exchange.refuse(403, 'origin-not-allowed', 'Pages of this origin may not do this here.');
  return false;
}

/** When the last of the shows begins. */
export function lastShowOf(shows: ShowDirectory): number {
  return Math.max(0, ...shows.list().map(({ show }) => show.startsAt));
}
