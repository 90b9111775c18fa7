import { createRoute } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { setCookie } from 'hono/cookie';
import { z } from 'zod';
import {
  bearerOpened,
  type BearerOpened,
  sessionOpened,
  type SessionOpened,
} from '@stampede/shared/protocol/http.ts';
import { isOriginAllowed } from '../access/allowed-origins.ts';
import { type BuyerSessions, sessionCookieName, type SignedSession } from '../access/buyer-session.ts';
import type { SessionId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { ANY_REFUSAL, type Api, type ApiEnv, jsonOf, takeBody } from './http-api.ts';
import { JSON_TYPE, NOT_KEPT } from './http-exchange.ts';
import { type HttpLimits, HttpRefusal, noteRefusal, spendBudget } from './http-refusal.ts';
import type { ShowDirectory } from './http-shows.ts';

export interface SessionParts extends HttpLimits {
  readonly sessions: BuyerSessions;
  readonly shows: ShowDirectory;
  readonly allowedOrigins: readonly string[];
  readonly outside: Outside;
  /** Closes the sockets of a session on this node. */
  readonly endSession: (session: SessionId) => void;
}

export type ApiContext = Context<ApiEnv>;

/** Of clients that are no browser: they ask for the session's text instead of a cookie. */
export const asBearer = z.literal(true).optional();
/** Unknown fields are refused, so that a misspelt one isn't ignored. */
const sessionRequest = z.strictObject({ bearer: asBearer });
export const openedBody = jsonOf(z.union([bearerOpened, sessionOpened]));
const PATH = '/api/sessions';

/** Sessions are opened and ended here (PROTOCOL.md rules 10.1 to 10.5). */
export function declareSessions(api: Api, parts: SessionParts): void {
  const { sessions, outside } = parts;
  const opening = createRoute({
    method: 'post',
    path: PATH,
    middleware: [ourPagesOnly(parts), takeBody],
    request: { body: { content: jsonOf(sessionRequest), required: true } },
    responses: {
      200: { description: 'The session that came, renewed where it is due', content: openedBody },
      201: { description: 'A new session', content: openedBody },
      ...ANY_REFUSAL,
    },
  });
  api.openapi(opening, async (context) => {
    const { headers, client } = context.env;
    const { bearer } = context.req.valid('json');
    const now = outside.clock.now();
    // A page's cookie or another client's bearer: neither is taken for the other.
    const reading = bearer
      ? sessions.readAuthorization(headers.authorization, now)
      : sessions.readCookie(headers.cookie, client.https, now);
    if (reading.kind === 'stale') noteRefusal(client, 'session-stale', parts);
    const lastShowAt = lastShowOf(parts.shows);
    if (reading.kind === 'session') {
      const signed = sessions.renew(reading.session, now, lastShowAt);
      return context.json(tellSession(context, { signed, bearer, now }), 200, { ...JSON_TYPE, ...NOT_KEPT });
    }
    await spendBudget(client, 'session', parts);
    const signed = sessions.create(now, lastShowAt);
    return context.json(tellSession(context, { signed, bearer, now }), 201, { ...JSON_TYPE, ...NOT_KEPT });
  });

  const ending = createRoute({
    method: 'delete',
    path: PATH,
    middleware: [ourPagesOnly(parts)],
    responses: { 204: { description: 'Nobody is known any more, here and in the browser' }, ...ANY_REFUSAL },
  });
  api.openapi(ending, (context) => {
    const { headers, client } = context.env;
    const reading = sessions.readRequest({ ...headers, https: client.https }, outside.clock.now());
    if (reading.kind === 'session') parts.endSession(reading.session.id);
    keepCookie(context, '', 0);
    return context.body(null, 204, NOT_KEPT);
  });
}

/** What was given to a client. */
interface Given {
  readonly signed: SignedSession;
  readonly bearer: boolean | undefined;
  readonly now: number;
}

/** Gives a client its session: as a cookie that no script can read, or as the text itself where that was asked for. */
export function tellSession(
  context: ApiContext,
  { signed, bearer, now }: Given,
): SessionOpened | BearerOpened {
  const { id, expiresAt } = signed.session;
  const opened: SessionOpened = { id, expiresAt: new Date(expiresAt).toISOString() };
  if (bearer) return { ...opened, bearer: signed.bearer };
  keepCookie(context, signed.bearer, Math.max(0, Math.floor((expiresAt - now) / 1_000)));
  return opened;
}

function keepCookie(context: ApiContext, value: string, maxAge: number): void {
  // As the client spoke it: over plain http a secure one would be lost.
  const { https } = context.env.client;
  const bounds = { path: '/', httpOnly: true, sameSite: 'Strict', secure: https } as const;
  setCookie(context, sessionCookieName(https), value, { ...bounds, maxAge });
}

/** Lets pages of ours ask, and what is no page. */
export function ourPagesOnly(parts: SessionParts): MiddlewareHandler<ApiEnv> {
  return async ({ env: { headers, client } }, next) => {
    if (!isOriginAllowed(headers.origin, headers.host, parts.allowedOrigins)) {
      noteRefusal(client, 'origin', parts);
      throw new HttpRefusal(403, 'origin-not-allowed', 'Pages of this origin may not do this here.');
    }
    await next();
  };
}

/** When the last of the shows begins. */
export function lastShowOf(shows: ShowDirectory): number {
  return Math.max(0, ...shows.catalogue().map(({ show }) => show.startsAt));
}
