import { z } from 'zod';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { SessionCreated } from '@stampede/shared/protocol/http.ts';
import { isOriginAllowed } from '../access/allowed-origins.ts';
import { type BuyerSessions, sessionCookie } from '../access/buyer-session.ts';
import type { HttpExchange } from './http-exchange.ts';

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** What asking for a session takes: nothing yet. Unknown fields are refused, so that a misspelt one isn't ignored. */
const sessionRequest = z.strictObject({});

export interface SessionDependencies {
  readonly sessions: BuyerSessions;
  readonly allowedOrigins: readonly string[];
  readonly clock: Clock;
}

/**
 * `POST /api/sessions`: 201 with a new session, or 200 with the one the client has, renewed where it is due [P4].
 * Sets the cookie either way.
 */
export async function openSession(exchange: HttpExchange, dependencies: SessionDependencies): Promise<void> {
  const { sessions, allowedOrigins, clock } = dependencies;
  const { headers, client } = exchange;
  if (!isOriginAllowed(headers.origin, headers.host, allowedOrigins)) {
    exchange.refuse(403, 'origin-not-allowed', 'Pages of this origin may not open sessions here.');
    return;
  }
  if (!(await hasSessionRequest(exchange))) return;
  const now = clock.now();
  const reading = sessions.readRequest(headers, now);
  const isKnown = reading.kind === 'session';
  const signed = isKnown ? sessions.renew(reading.session, now) : sessions.create(now);
  const body: SessionCreated = {
    bearer: signed.bearer,
    expiresAt: new Date(signed.session.expiresAt).toISOString(),
  };
  exchange.json(isKnown ? 200 : 201, body, {
    'Set-Cookie': sessionCookie(signed, client.https, now),
    'Cache-Control': 'no-store',
  });
}

/** Whether the body is what it should be; if not, the exchange has been answered. */
async function hasSessionRequest(exchange: HttpExchange): Promise<boolean> {
  const body = await exchange.body();
  switch (body.kind) {
    case 'too-large':
      exchange.refuse(413, 'too-large', 'The body is larger than this interface ever needs.');
      return false;
    case 'unfinished':
      exchange.refuse(408, 'too-slow', 'The body did not arrive in time.');
      return false;
    case 'bytes':
      return body.bytes.length === 0 || isSessionRequest(exchange, body.bytes);
    default:
      return body satisfies never;
  }
}

function isSessionRequest(exchange: HttpExchange, bytes: Uint8Array): boolean {
  if (!JSON_TYPE.test(exchange.headers.contentType)) {
    exchange.refuse(415, 'unsupported-media-type', 'Send the body as application/json, or none.');
    return false;
  }
  const value = parsedJson(bytes);
  if (value === undefined) {
    exchange.refuse(400, 'malformed', 'The body is not JSON in UTF-8.');
    return false;
  }
  const request = sessionRequest.safeParse(value);
  if (request.success) return true;
  exchange.refuse(422, 'invalid', z.prettifyError(request.error));
  return false;
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
