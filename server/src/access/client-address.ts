import { type AddressList, canonicalAddress } from './ip-address.ts';

/** What a connection says about where a request came from. Header values are empty where absent. */
export interface Peer {
  /** Canonical address of the other end of the socket. */
  readonly address: string;
  /** All `X-Forwarded-For` values, joined by commas in the order received. */
  readonly forwardedFor: string;
  readonly forwardedProto: string;
}

export interface Client {
  /** Canonical address; for budgets only, never logged. */
  readonly address: string;
  /** Whether the client spoke https to the outermost proxy. */
  readonly https: boolean;
}

/**
 * Who is behind a request. `X-Forwarded-For` is read from its end and only as far as known proxies wrote it: what
 * stands further left was written by the client, who may write anything. Something that is no address ends the
 * reading too, at the proxy that passed it on.
 */
export function clientOf(peer: Peer, trustedProxies: AddressList): Client {
  if (!trustedProxies.has(peer.address)) return { address: peer.address, https: false };
  let { address } = peer;
  for (const entry of peer.forwardedFor.split(',').reverse()) {
    const before = canonicalAddress(entry.trim());
    if (before === null) break;
    address = before;
    if (!trustedProxies.has(before)) break;
  }
  // Of several values the first is the client's side; who forges it gets a stricter cookie and nothing else.
  return { address, https: peer.forwardedProto.split(',', 1)[0]?.trim().toLowerCase() === 'https' };
}
