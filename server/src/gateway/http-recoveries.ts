import { createRoute } from '@hono/zod-openapi';
import { z } from 'zod';
import { recoveryCode } from '@stampede/shared/protocol/http.ts';
import type { TicketRecovery } from '../access/ticket-recovery.ts';
import { ANY_REFUSAL, type Api, jsonOf, takeBody } from './http-api.ts';
import { JSON_TYPE, NOT_KEPT } from './http-exchange.ts';
import { HttpRefusal, noteRefusal, spendBudget } from './http-refusal.ts';
import {
  asBearer,
  lastShowOf,
  openedBody,
  ourPagesOnly,
  type SessionParts,
  tellSession,
} from './http-sessions.ts';

const CODE_LENGTH_MAX = 64;
const recoveryRequest = z.strictObject({ code: z.string().max(CODE_LENGTH_MAX), bearer: asBearer });
const PATH = '/api/recoveries';

export interface RecoveryParts extends SessionParts {
  readonly recovery: TicketRecovery;
}

/** What brings tickets back is told and taken here (PROTOCOL.md rules 10.6 and 10.7). */
export function declareRecoveries(api: Api, parts: RecoveryParts): void {
  const { sessions, recovery, outside } = parts;
  const telling = createRoute({
    method: 'get',
    path: PATH,
    responses: {
      200: { description: "The code that brings the caller's tickets back", content: jsonOf(recoveryCode) },
      ...ANY_REFUSAL,
    },
  });
  api.openapi(telling, async (context) => {
    const { headers, client } = context.env;
    const reading = sessions.readRequest({ ...headers, https: client.https }, outside.clock.now());
    if (reading.kind !== 'session') {
      throw new HttpRefusal(401, 'not-authenticated', 'Only a buyer has tickets to be recovered.');
    }
    const code = await recovery.codeOf(reading.session.id);
    if (code === null) {
      throw new HttpRefusal(404, 'no-tickets', 'There are no tickets of this session yet.');
    }
    return context.json({ code }, 200, { ...JSON_TYPE, ...NOT_KEPT });
  });

  const recovering = createRoute({
    method: 'post',
    path: PATH,
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
      throw new HttpRefusal(
        404,
        'recovery-unknown',
        'This code is not one of ours; look for a mistyped sign.',
      );
    }
    const now = outside.clock.now();
    const signed = sessions.open(session, now, lastShowOf(parts.shows));
    return context.json(tellSession(context, { signed, bearer, now }), 200, { ...JSON_TYPE, ...NOT_KEPT });
  });
}
