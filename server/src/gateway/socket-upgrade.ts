import { createHash } from 'node:crypto';
import { type CloseReason, closeCodes } from '@stampede/shared/protocol/codes.ts';
import { SUBPROTOCOL } from '@stampede/shared/protocol/limits.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { isOriginAllowed } from '../access/allowed-origins.ts';
import type { BuyerSessions, SessionReading } from '../access/buyer-session.ts';
import { type AddressList, budgetKey } from '../access/ip-address.ts';
import type { RequestBudgets } from '../access/request-budgets.ts';
import type { RefusalKind } from '../access/security-events.ts';
import { readClient } from './http-exchange.ts';
import { noteRefusal, type RefusalNotes, retryAfterSeconds } from './http-refusal.ts';
import { NO_CONTENT_POLICY, SECURITY_HEADERS } from './http-security.ts';

export interface UpgradeParts extends RefusalNotes {
  readonly sessions: BuyerSessions;
  readonly clock: Clock;
  readonly allowedOrigins: readonly string[];
  readonly trustedProxies: AddressList;
  readonly unlimitedAddresses: AddressList;
  readonly budgets: RequestBudgets;
}

/** Who is about to have a socket. */
export interface Arrival {
  /** Canonical. */
  readonly address: string;
  readonly isLimited: boolean;
  readonly reading: SessionReading;
}

interface UpgradeRefusal {
  readonly kind: RefusalKind;
  readonly status: string;
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 6455: 4.2.2 and 5.2. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const FINAL_CLOSE_FRAME = 0x88;

const REFUSAL_HEADERS: Readonly<Record<string, string>> = {
  ...SECURITY_HEADERS,
  'Content-Security-Policy': NO_CONTENT_POLICY,
  'Cache-Control': 'no-store',
};

/**
 * Lets a request become a socket whose data `admit` makes, or refuses it: by an HTTP status where no honest page is
 * concerned, else by the close code that `admit` gives instead, which scripts can read (PROTOCOL.md rule 2.4).
 */
export async function upgradeSocket(
  parts: UpgradeParts,
  [response, request, context]: readonly [HttpResponse, HttpRequest, us_socket_context_t],
  admit: (arrival: Arrival) => object | CloseReason,
): Promise<void> {
  const client = readClient(response, request, parts.trustedProxies);
  const { address, https } = client;
  const refuse = (refusal: UpgradeRefusal): void => {
    noteRefusal(client, refusal.kind, parts);
    refuseUpgrade(response, refusal);
  };
  const refusal = upgradeRefusal(request, parts.allowedOrigins);
  if (refusal) {
    refuse(refusal);
    return;
  }
  // The request is gone after this turn, and so may be who sent it.
  const [key, extensions, authorization, cookie] = [
    request.getHeader('sec-websocket-key'),
    request.getHeader('sec-websocket-extensions'),
    request.getHeader('authorization'),
    request.getHeader('cookie'),
  ];
  const sender = { isGone: false };
  response.onAborted(() => {
    sender.isGone = true;
  });
  const isLimited = !parts.unlimitedAddresses.has(address);
  const spending = isLimited ? await parts.budgets.spend('socket', budgetKey(address)) : null;
  if (sender.isGone) return;
  response.cork(() => {
    if (spending?.ok === false) {
      refuse({
        kind: 'budget-socket',
        status: '429 Too Many Requests',
        reason: 'Too many sockets were opened from your address.',
        headers: { 'Retry-After': String(retryAfterSeconds(spending.retryAfterMs)) },
      });
      return;
    }
    const reading = parts.sessions.readRequest({ authorization, cookie, https }, parts.clock.now());
    const admitted = admit({ address, isLimited, reading });
    if (typeof admitted === 'string') {
      parts.events.socketEnded(admitted, parts.networks.of(address));
      closeAtOnce(response, key, admitted);
    } else response.upgrade(admitted, key, SUBPROTOCOL, extensions, context);
  });
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

function refuseUpgrade(response: HttpResponse, { status, reason, headers = {} }: UpgradeRefusal): void {
  response.writeStatus(status);
  for (const [name, value] of Object.entries({ ...REFUSAL_HEADERS, ...headers })) {
    response.writeHeader(name, value);
  }
  // Closed at once: whoever is refused keeps no descriptor of ours.
  response.end(reason, true);
}

/** What is wrong with an upgrade that no session could mend. Scripts see the status, browsers just fail. */
function upgradeRefusal(request: HttpRequest, allowedOrigins: readonly string[]): UpgradeRefusal | null {
  if (!isOriginAllowed(request.getHeader('origin'), request.getHeader('host'), allowedOrigins)) {
    return {
      kind: 'origin',
      status: '403 Forbidden',
      reason: 'This page may not open a buyer session here.',
    };
  }
  const offered = request.getHeader('sec-websocket-protocol').split(',');
  if (!offered.some((one) => one.trim() === SUBPROTOCOL)) {
    const reason = `The subprotocol must be ${SUBPROTOCOL}.`;
    return { kind: 'subprotocol', status: '400 Bad Request', reason };
  }
  return null;
}
