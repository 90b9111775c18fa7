import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

const GROUPS_OF_NETWORK = 4;

/**
 * The one spelling of an address: IPv6 compressed and in small letters, IPv4 inside IPv6 as plain IPv4, without
 * brackets, zone or port. Null if the text is no address.
 */
export function canonicalAddress(text: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  // The library also takes what C took once: parts left out, octal and hexadecimal ones.
  return isIP(bare) === 0 ? null : spelt(ipaddr.parse(bare.replace(/%.*/, '')));
}

/** The canonical address of 4 or 16 bytes, as sockets report it; throws where they are any other number. */
export function addressOfBytes(bytes: Uint8Array): string {
  return spelt(ipaddr.fromByteArray([...bytes]));
}

function spelt(address: Address): string {
  const isMapped = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
  return (isMapped ? address.toIPv4Address() : address).toString();
}

/**
 * Whom a budget belongs to. A household or a machine is given a whole IPv6 /64, so counting single addresses of it
 * would count nothing [P7].
 */
export function budgetKey(address: string): string {
  if (!address.includes(':')) return address;
  const network = ipaddr.IPv6.parse(address).parts.slice(0, GROUPS_OF_NETWORK);
  return `${network.map((group) => group.toString(16)).join(':')}::/64`;
}

/** A set of addresses and networks, such as the proxies that are believed. */
export class AddressList {
  readonly #networks: readonly [Address, number][];

  /** Entries are addresses or CIDR networks (`10.0.0.0/8`, `fd00::/8`); throws naming one that is neither. */
  constructor(entries: readonly string[] = []) {
    this.#networks = entries.map(networkOf);
  }

  has(address: string): boolean {
    if (this.#networks.length === 0) return false;
    const asked = ipaddr.parse(address);
    return this.#networks.some((network) => network[0].kind() === asked.kind() && asked.match(network));
  }
}

function networkOf(entry: string): [Address, number] {
  const [address = ''] = entry.split('/', 1);
  const cidr = entry === address ? `${entry}/${isIP(entry) === 4 ? 32 : 128}` : entry;
  if (isIP(address) === 0 || !ipaddr.isValidCIDR(cidr)) throw new Error(`${entry} is no address or network`);
  return ipaddr.parseCIDR(cidr);
}
