import { type AddressList, budgetKey } from '../access/ip-address.ts';
import type { BudgetKind, RequestBudgets } from '../access/request-budgets.ts';
import type { HttpExchange } from './http-exchange.ts';

export interface HttpLimits {
  readonly budgets: RequestBudgets;
  readonly unlimitedAddresses: AddressList;
}

/** Whether the caller has budget left for this [P7]; if not, the exchange has been answered. */
export async function isWithinBudget(
  exchange: HttpExchange,
  kind: BudgetKind,
  { budgets, unlimitedAddresses }: HttpLimits,
): Promise<boolean> {
  const { address } = exchange.client;
  if (unlimitedAddresses.has(address)) return true;
  const spending = await budgets.spend(kind, budgetKey(address));
  if (spending.ok) return true;
  const seconds = retryAfterSeconds(spending.retryAfterMs);
  const message = `Too many calls from your address; try again in ${seconds} s.`;
  exchange.refuse(429, 'rate-limited', message, { 'Retry-After': String(seconds) });
  return false;
}

export function retryAfterSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000));
}
