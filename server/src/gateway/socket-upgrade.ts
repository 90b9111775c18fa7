import { createHash } from 'node:crypto';
import { type CloseReason, closeCodes } from '@stampede/shared/protocol/codes.ts';
import { SUBPROTOCOL } from '@stampede/shared/protocol/limits.ts';
import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import type { BuyerSessions, SessionReading } from '../access/buyer-session.ts';
import { type HttpContext, HttpExchange } from './http-exchange.ts';
import { HttpRefusal, noteRefusal, type HttpLimits, requireOurPage, spendBudget } from './http-refusal.ts';

export interface UpgradeParts extends HttpContext, HttpLimits {
  readonly sessions: BuyerSessions;
}

/** RFC 6455: 4.2.2 and 5.2. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const FINAL_CLOSE_FRAME = 0x88;

/**
 * Lets a request become a socket whose data `admit` makes of its canonical address and its session, or refuses it: by
 * an HTTP status where no honest page is concerned, else by the close code that `admit` gives instead, which scripts
 * can read (PROTOCOL.md rule 2.4).
 */
export async function upgradeSocket(
  parts: UpgradeParts,
  [response, request, context]: readonly [HttpResponse, HttpRequest, us_socket_context_t],
  admit: (address: string, reading: SessionReading) => object | CloseReason,
): Promise<void> {
  const exchange = new HttpExchange(response, request, parts);
  // The request is gone after this turn, and so may be who sent it.
  const [key, extensions, protocols] = [
    request.getHeader('sec-websocket-key'),
    request.getHeader('sec-websocket-extensions'),
    request.getHeader('sec-websocket-protocol'),
  ];
  const { headers, client } = exchange;
  try {
    requireOurPage(exchange, parts);
    requireSubprotocol(protocols, exchange, parts);
    await spendBudget(client, 'socket', parts);
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error;
    // Closed at once: whoever is refused keeps no descriptor of ours. Scripts see the status, browsers just fail.
    exchange.refuse(error, true);
    return;
  }
  if (exchange.isGone) return;
  response.cork(() => {
    const credentials = { ...headers, https: client.https };
    const reading = parts.sessions.readRequest(credentials, parts.outside.clock.now());
    const admitted = admit(client.address, reading);
    if (typeof admitted === 'string') {
      parts.events.socketEnded(admitted, parts.networks.of(client.address));
      closeAtOnce(response, key, admitted);
    } else response.upgrade(admitted, key, SUBPROTOCOL, extensions, context);
  });
}

function requireSubprotocol(offered: string, { client }: HttpExchange, parts: UpgradeParts): void {
  if (offered.split(',').some((one) => one.trim() === SUBPROTOCOL)) return;
  noteRefusal(client, 'subprotocol', parts);
  throw new HttpRefusal(400, 'subprotocol', `The subprotocol must be ${SUBPROTOCOL}.`);
}

/**
 * Says a close code and hangs up. A socket that the library ends keeps its descriptor until the other end hangs up too,
 * 11 s if it pleases; so the answer to the upgrade is written here, with the close frame behind it.
 */
function closeAtOnce(response: HttpResponse, key: string, reason: CloseReason): void {
  const accept = createHash('sha1').update(`${key}${ACCEPT_SUFFIX}`).digest('base64');
  response
    .writeStatus('101 Switching Protocols')
    .writeHeader('Upgrade', 'websocket')
    .writeHeader('Connection', 'Upgrade')
    .writeHeader('Sec-WebSocket-Accept', accept)
    .writeHeader('Sec-WebSocket-Protocol', SUBPROTOCOL);
  const code = closeCodes[reason];
  const payload = Buffer.from([code >> 8, code & 0xff, ...Buffer.from(reason)]);
  response.end(Buffer.concat([Buffer.of(FINAL_CLOSE_FRAME, payload.length), payload]), true);
}
