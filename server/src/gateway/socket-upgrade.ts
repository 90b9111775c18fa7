import { SUBPROTOCOL } from '@stampede/shared/protocol/limits.ts';
import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { HttpRequest, HttpResponse, us_socket_context_t } from 'uWebSockets.js';
import { isOriginAllowed } from '../access/allowed-origins.ts';
import type { BuyerSessions, SessionReading } from '../access/buyer-session.ts';
import { type AddressList, budgetKey } from '../access/ip-address.ts';
import type { RequestBudgets } from '../access/request-budgets.ts';
import { readClient } from './http-exchange.ts';
import { retryAfterSeconds } from './http-limits.ts';
import { NO_CONTENT_POLICY, SECURITY_HEADERS } from './http-security.ts';

export interface UpgradeParts {
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
  readonly status: string;
  readonly reason: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const REFUSAL_HEADERS: Readonly<Record<string, string>> = {
  ...SECURITY_HEADERS,
  'Content-Security-Policy': NO_CONTENT_POLICY,
  'Cache-Control': 'no-store',
};

/**
 * Lets a request become a socket whose data `admit` makes, or refuses it. A session that is no good is no reason: that
 * is told by close code (PROTOCOL.md rule 2.4).
 */
export async function upgradeSocket(
  parts: UpgradeParts,
  [response, request, context]: readonly [HttpResponse, HttpRequest, us_socket_context_t],
  admit: (arrival: Arrival) => object,
): Promise<void> {
  const refusal = upgradeRefusal(request, parts.allowedOrigins);
  if (refusal) {
    refuseUpgrade(response, refusal);
    return;
  }
  // The request is gone after this turn, and so may be who sent it.
  const { address, https } = readClient(response, request, parts.trustedProxies);
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
      refuseUpgrade(response, {
        status: '429 Too Many Requests',
        reason: 'Too many sockets were opened from your address.',
        headers: { 'Retry-After': String(retryAfterSeconds(spending.retryAfterMs)) },
      });
      return;
    }
    const reading = parts.sessions.readRequest({ authorization, cookie, https }, parts.clock.now());
    response.upgrade(admit({ address, isLimited, reading }), key, SUBPROTOCOL, extensions, context);
  });
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
    return { status: '403 Forbidden', reason: 'This page may not open a buyer session here.' };
  }
  const offered = request.getHeader('sec-websocket-protocol').split(',');
  if (!offered.some((one) => one.trim() === SUBPROTOCOL)) {
    return { status: '400 Bad Request', reason: `The subprotocol must be ${SUBPROTOCOL}.` };
  }
  return null;
}
