/**
 * Why a request was refused. The number travels; the name is what code, logs and interfaces use. Numbers are
 * never reused. PROTOCOL.md explains each (rules 7.x).
 */
export const refusalCodes = {
  malformed: 1,
  'unknown-message': 2,
  'too-large': 3,
  'rate-limited': 4,
  'not-authenticated': 5,
  'session-stale': 6,
  'show-unknown': 7,
  'not-entered': 8,
  'section-unknown': 9,
  'seat-unknown': 10,
  'seat-taken': 11,
  'not-admitted': 12,
  'limit-exceeded': 13,
  'hold-ended': 14,
  'hold-not-yours': 15,
  'in-checkout': 16,
  'extension-limit': 17,
  'amount-changed': 18,
  'idempotency-mismatch': 19,
  'sale-not-open': 20,
  'sale-paused': 21,
  'sale-closed': 22,
  'sold-out': 23,
  'queue-full': 24,
  busy: 25,
  'network-full': 26,
  'cooling-down': 27,
  'network-limit': 28,
} as const;

export type RefusalCode = keyof typeof refusalCodes;

/**
 * Close codes by range, so that a client needs no list: 4000–4099 reconnect with backoff, 4100–4199 do not come
 * back unchanged (RFC 6455 leaves 4000–4999 to applications). 4001 and 4002 were listed once and stay unused.
 */
export const closeCodes = {
  moving: 4000,
  'protocol-violation': 4100,
  'session-stale': 4101,
  'authentication-timeout': 4102,
  'too-many-sockets': 4103,
} as const;

export type CloseReason = keyof typeof closeCodes;

const reasonsByCode = new Map<number, CloseReason>();
for (const reason of Object.keys(closeCodes) as CloseReason[]) reasonsByCode.set(closeCodes[reason], reason);

/** What a close code of ours means; null for a code of WebSocket itself or of a newer server. */
export function closeReasonOf(closeCode: number): CloseReason | null {
  return reasonsByCode.get(closeCode) ?? null;
}

const NO_RETURN_FROM = 4100;
const NO_RETURN_TO = 4199;

/** Whether a client may reconnect by itself after this close code; unknown codes and 1006 may. */
export function mayReconnect(closeCode: number): boolean {
  return closeCode < NO_RETURN_FROM || closeCode > NO_RETURN_TO;
}
