import { isOriginAllowed } from '../access/allowed-origins.ts';
import type { Client } from '../access/client-address.ts';
import { type AddressList, budgetKey } from '../access/ip-address.ts';
import type { NetworkTags } from '../access/network-tag.ts';
import type { BudgetKind, RequestBudgets } from '../access/request-budgets.ts';
import type { RefusalKind, SecurityEvents } from '../access/security-events.ts';

const MS_PER_SECOND = 1_000;

interface RefusalDetails {
  readonly headers?: Readonly<Record<string, string>>;
  /** Fields of the body beside those that every error has. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** What broke, to be noted. */
  readonly cause?: unknown;
}

/** What a caller is told instead of what was asked for: thrown wherever that is found out, answered in one place. */
export class HttpRefusal extends Error {
  override readonly name = 'HttpRefusal';
  readonly status: number;
  readonly code: string;
  readonly details: RefusalDetails;

  constructor(status: number, code: string, message: string, details: RefusalDetails = {}) {
    super(message, { cause: details.cause });
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

export function nothingHere(): HttpRefusal {
  return new HttpRefusal(404, 'not-found', 'There is nothing at this address.');
}

/** Of an address that knows other methods. */
export function otherMethod(methods: readonly string[]): HttpRefusal {
  const allowed = methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  const headers = { Allow: allowed.join(', ') };
  return new HttpRefusal(405, 'method-not-allowed', `Here goes only ${allowed.join(' or ')}.`, { headers });
}

/** What bounds callers, and where those who are turned away are noted. */
export interface HttpLimits {
  readonly networks: NetworkTags;
  readonly events: SecurityEvents;
  readonly budgets: RequestBudgets;
  readonly unlimitedAddresses: AddressList;
  readonly allowedOrigins: readonly string[];
}

/** Who calls, and from which page. */
interface Caller {
  readonly headers: { readonly origin: string; readonly host: string };
  readonly client: Client;
}

/** Notes that a caller was turned away. */
export function noteRefusal({ address }: Client, kind: RefusalKind, { networks, events }: HttpLimits): void {
  events.refused(kind, () => networks.of(address));
}

/** Lets pages of ours ask, and what is no page; throws the refusal of all others. */
export function requireOurPage({ headers, client }: Caller, limits: HttpLimits): void {
  if (isOriginAllowed(headers.origin, headers.host, limits.allowedOrigins)) return;
  noteRefusal(client, 'origin', limits);
  throw new HttpRefusal(403, 'origin-not-allowed', 'Pages of this origin may not do this here.');
}

/** Takes one call from the caller's budget [P7]; throws the refusal where nothing is left of it. */
export async function spendBudget(client: Client, kind: BudgetKind, limits: HttpLimits): Promise<void> {
  if (limits.unlimitedAddresses.has(client.address)) return;
  const spending = await limits.budgets.spend(kind, budgetKey(client.address));
  if (spending.ok) return;
  noteRefusal(client, `budget-${kind}`, limits);
  const seconds = Math.max(1, Math.ceil(spending.retryAfterMs / MS_PER_SECOND));
  throw new HttpRefusal(429, 'rate-limited', `Too many calls from your address; try again in ${seconds} s.`, {
    headers: { 'Retry-After': String(seconds) },
  });
}
