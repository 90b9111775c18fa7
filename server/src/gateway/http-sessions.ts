import { createRoute } from '@hono/zod-openapi';
import type { Context, MiddlewareHandler } from 'hono';
import { setCookie } from 'hono/cookie';
import { z } from 'zod';
import {
  bearerOpened,
  type BearerOpened,
  recoveryCode,
  sessionOpened,
  type SessionOpened,
} from '@stampede/shared/protocol/http.ts';
import {
  type BuyerSessions,
  sessionCookieName,
  type SessionReading,
  type SignedSession,
} from '../access/buyer-session.ts';
import type { TicketRecovery } from '../access/ticket-recovery.ts';
import type { SessionId } from '../platform/ids.ts';
import type { Outside } from '../platform/outside.ts';
import { ANY_REFUSAL, type Api, type ApiEnv, jsonOf, takeBody } from './http-api.ts';
import { JSON_TYPE, NOT_KEPT } from './http-exchange.ts';
import { HttpRefusal, noteRefusal, type HttpLimits, requireOurPage, spendBudget } from './http-refusal.ts';
import type { ShowDirectory } from './http-shows.ts';

export interface SessionParts extends HttpLimits {
  readonly sessions: BuyerSessions;
  readonly recovery: TicketRecovery;
  readonly shows: ShowDirectory;
  readonly outside: Outside;
  /** Closes the sockets of a session on this node. */
  readonly endSession: (session: SessionId) => void;
}

/** Of clients that are no browser: they ask for the session's text instead of a cookie. */
const asBearer = z.literal(true).optional();
/** Unknown fields are refused, so that a misspelt one isn't ignored. */
const sessionRequest = z.strictObject({ bearer: asBearer });
const CODE_LENGTH_MAX = 64;
const recoveryRequest = z.strictObject({ code: z.string().max(CODE_LENGTH_MAX), bearer: asBearer });
const openedBody = jsonOf(z.union([bearerOpened, sessionOpened]));
const PATH = '/api/sessions';
const RECOVERY_PATH = '/api/recoveries';
const TOLD = { ...JSON_TYPE, ...NOT_KEPT };

/** Sessions are opened and ended here (PROTOCOL.md rules 10.1 to 10.5). */
export function declareSessions(api: Api, parts: SessionParts): void {
  const { sessions, outside, shows } = parts;
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
    if (reading.kind === 'session') {
      const signed = sessions.renew(reading.session, now, shows.lastStartsAt);
      return context.json(tellSession(context, { signed, bearer, now }), 200, TOLD);
    }
    await spendBudget(client, 'session', parts);
    const signed = sessions.create(now, shows.lastStartsAt);
    return context.json(tellSession(context, { signed, bearer, now }), 201, TOLD);
  });

  const ending = createRoute({
    method: 'delete',
    path: PATH,
    middleware: [ourPagesOnly(parts)],
    responses: { 204: { description: 'Nobody is known any more, here and in the browser' }, ...ANY_REFUSAL },
  });
  api.openapi(ending, (context) => {
    const reading = readSession(context, parts);
    if (reading.kind === 'session') parts.endSession(reading.session.id);
    keepCookie(context, '', 0);
    return context.body(null, 204, NOT_KEPT);
  });
}

/** What brings tickets back is told and taken here (PROTOCOL.md rules 10.6 and 10.7). */
export function declareRecoveries(api: Api, parts: SessionParts): void {
  const { sessions, recovery, outside, shows } = parts;
  const telling = createRoute({
    method: 'get',
    path: RECOVERY_PATH,
    responses: {
      200: { description: "The code that brings the caller's tickets back", content: jsonOf(recoveryCode) },
      ...ANY_REFUSAL,
    },
  });
  api.openapi(telling, async (context) => {
    const reading = readSession(context, parts);
    if (reading.kind !== 'session') {
      throw new HttpRefusal(401, 'not-authenticated', 'Only a buyer has tickets to be recovered.');
    }
    const code = await recovery.codeOf(reading.session.id);
    if (code !== null) return context.json({ code }, 200, TOLD);
    throw new HttpRefusal(404, 'no-tickets', 'There are no tickets of this session yet.');
  });

  const recovering = createRoute({
    method: 'post',
    path: RECOVERY_PATH,
    middleware: [ourPagesOnly(parts), takeBody],
    request: { body: { content: jsonOf(recoveryRequest), required: true } },
    responses: { 200: { description: 'The session of the code', content: openedBody }, ...ANY_REFUSAL },
  });
  api.openapi(recovering, async (context) => {
    const { client } = context.env;
    const { code, bearer } = context.req.valid('json');
    await spendBudget(client, 'recovery', parts);
    const session = await recovery.sessionOf(code);
    if (session === null) {
      noteRefusal(client, 'recovery-unknown', parts);
      const message = 'This code is not one of ours; look for a mistyped sign.';
      throw new HttpRefusal(404, 'recovery-unknown', message);
    }
    const now = outside.clock.now();
    const signed = sessions.open(session, now, shows.lastStartsAt);
    return context.json(tellSession(context, { signed, bearer, now }), 200, TOLD);
  });
}

function readSession({ env }: Context<ApiEnv>, { sessions, outside }: SessionParts): SessionReading {
  return sessions.readRequest({ ...env.headers, https: env.client.https }, outside.clock.now());
}

/** What was given to a client. */
interface Given {
  readonly signed: SignedSession;
  readonly bearer: boolean | undefined;
  readonly now: number;
}

/** Gives a client its session: as a cookie that no script can read, or as the text itself where that was asked for. */
function tellSession(context: Context<ApiEnv>, { signed, bearer, now }: Given): SessionOpened | BearerOpened {
  const { id, expiresAt } = signed.session;
  const opened: SessionOpened = { id, expiresAt: new Date(expiresAt).toISOString() };
  if (bearer) return { ...opened, bearer: signed.bearer };
  keepCookie(context, signed.bearer, Math.max(0, Math.floor((expiresAt - now) / 1_000)));
  return opened;
}

function keepCookie(context: Context<ApiEnv>, value: string, maxAge: number): void {
  // As the client spoke it: over plain http a secure one would be lost.
  const { https } = context.env.client;
  const bounds = { path: '/', httpOnly: true, sameSite: 'Strict', secure: https } as const;
  setCookie(context, sessionCookieName(https), value, { ...bounds, maxAge });
}

function ourPagesOnly(parts: SessionParts): MiddlewareHandler<ApiEnv> {
  return async ({ env }, next) => {
    requireOurPage(env, parts);
    await next();
  };
}
