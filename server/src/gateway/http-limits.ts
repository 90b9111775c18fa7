import { type AddressList, budgetKey } from '../access/ip-address.ts';
import type { NetworkTags } from '../access/network-tag.ts';
import type { RefusalKind, SecurityEvents } from '../access/security-events.ts';
import type { BudgetKind, RequestBudgets } from '../access/request-budgets.ts';
import type { HttpExchange } from './http-exchange.ts';

export interface HttpLimits extends RefusalNotes {
  readonly budgets: RequestBudgets;
  readonly unlimitedAddresses: AddressList;
}

/** Where what is turned away is noted. */
export interface RefusalNotes {
  readonly networks: NetworkTags;
  readonly events: SecurityEvents;
}

/** Notes that a caller was turned away. */
export function noteRefusal(
  { client }: Pick<HttpExchange, 'client'>,
  kind: RefusalKind,
  { networks, events }: RefusalNotes,
): void {
  events.refused(kind, () => networks.of(client.address));
}

/** Whether the caller has budget left for this [P7]; if not, the exchange has been answered. */
export async function isWithinBudget(
  exchange: HttpExchange,
  kind: BudgetKind,
  limits: HttpLimits,
): Promise<boolean> {
  const { address } = exchange.client;
  if (limits.unlimitedAddresses.has(address)) return true;
  const spending = await limits.budgets.spend(kind, budgetKey(address));
  if (spending.ok) return true;
  noteRefusal(exchange, `budget-${kind}`, limits);
  const seconds = retryAfterSeconds(spending.retryAfterMs);
  const message = `Too many calls from your address; try again in ${seconds} s.`;
  exchange.refuse(429, 'rate-limited', message, { 'Retry-After': String(seconds) });
  return false;
}

export function retryAfterSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
