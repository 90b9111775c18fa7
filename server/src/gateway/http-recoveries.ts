import { z } from 'zod';
import type { RecoveryCode } from '@stampede/shared/protocol/http.ts';
import type { TicketRecovery } from '../access/ticket-recovery.ts';
import type { HttpExchange } from './http-exchange.ts';
import { readJson } from './http-json.ts';
import { isWithinBudget, noteRefusal } from './http-limits.ts';
import { isFromOurPage, lastShowOf, type SessionDependencies, tellSession } from './http-sessions.ts';

const CODE_LENGTH_MAX = 64;
const recoveryRequest = z.strictObject({
  code: z.string().max(CODE_LENGTH_MAX),
  bearer: z.literal(true).optional(),
});

export interface RecoveryDependencies extends SessionDependencies {
  readonly recovery: TicketRecovery;
}

/** `GET /api/recoveries`: the code that brings the caller's tickets back (PROTOCOL.md rule 10.6). */
export async function tellRecoveryCode(
  exchange: HttpExchange,
  { sessions, recovery, clock }: RecoveryDependencies,
): Promise<void> {
  const { headers, client } = exchange;
  const reading = sessions.readRequest({ ...headers, https: client.https }, clock.now());
  if (reading.kind !== 'session') {
    exchange.refuse(401, 'not-authenticated', 'Only a buyer has tickets to be recovered.');
    return;
  }
  const code = await recovery.codeOf(reading.session.id);
  if (code === null) {
    exchange.refuse(404, 'no-tickets', 'There are no tickets of this session yet.');
    return;
  }
  const body: RecoveryCode = { code };
  exchange.json(200, body, { 'Cache-Control': 'no-store' });
}

/** `POST /api/recoveries`: gives the session of a code (PROTOCOL.md rule 10.7). */
export async function recoverSession(
  exchange: HttpExchange,
  dependencies: RecoveryDependencies,
): Promise<void> {
  if (!isFromOurPage(exchange, dependencies)) return;
  const request = await readJson(exchange, recoveryRequest);
  if (!request || !(await isWithinBudget(exchange, 'recovery', dependencies))) return;
  const { sessions, recovery, shows, clock } = dependencies;
  const session = await recovery.sessionOf(request.code);
  if (session === null) {
    noteRefusal(exchange, 'recovery-unknown', dependencies);
    exchange.refuse(404, 'recovery-unknown', 'This code is not one of ours; look for a mistyped sign.');
    return;
  }
  const now = clock.now();
  const signed = sessions.open(session, now, lastShowOf(shows));
  tellSession(exchange, 200, { signed, asBearer: request.bearer === true, now });
}
