import { BlockList, SocketAddress, isIP } from 'node:net';

const IPV4_BYTES = 4;
const IPV6_BYTES = 16;
const MAPPED_PREFIX = '::ffff:';
const IPV6_PREFIX_BITS = 64;
const IPV6_GROUPS = 8;

/**
 * The one spelling of an address: IPv6 compressed and in small letters, IPv4 inside IPv6 as plain IPv4, without
 * brackets, zone or port. Null if the text is no address.
 */
export function canonicalAddress(text: string): string | null {
  const bare = /^\[([^\]]+)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const kind = isIP(bare);
  if (kind === 0) return null;
  if (kind === 4) return bare;
  const { address } = new SocketAddress({ address: bare, family: 'ipv6' });
  return address.startsWith(MAPPED_PREFIX) && address.includes('.')
    ? address.slice(MAPPED_PREFIX.length)
    : address;
}

/** The canonical address of 4 or 16 bytes, as sockets report it. */
export function addressOfBytes(bytes: Uint8Array): string {
  if (bytes.length === IPV4_BYTES) return bytes.join('.');
  if (bytes.length !== IPV6_BYTES) throw new Error(`an address of ${bytes.length} bytes`);
  const groups = Array.from({ length: IPV6_GROUPS }, (_, group) =>
    (((bytes[2 * group] ?? 0) << 8) | (bytes[2 * group + 1] ?? 0)).toString(16),
  );
  const address = canonicalAddress(groups.join(':'));
  if (address === null) throw new Error('bytes of an address do not spell one');
  return address;
}

/**
 * Whom a budget belongs to. A household or a machine is given a whole IPv6 /64, so counting single addresses of it
 * would count nothing [P7].
 */
export function budgetKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail = ''] = address.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, IPV6_GROUPS - before.length - after.length)).fill('0');
  const network = [...before, ...zeros, ...after].slice(0, IPV6_PREFIX_BITS / 16);
  return `${network.join(':')}::/${IPV6_PREFIX_BITS}`;
}

/** A set of addresses and networks, such as the proxies that are believed. */
export class AddressList {
  readonly #list = new BlockList();
  readonly #empty: boolean;

  /** Entries are addresses or CIDR networks (`10.0.0.0/8`, `fd00::/8`); throws naming one that is neither. */
  constructor(entries: readonly string[] = []) {
    this.#empty = entries.length === 0;
    for (const entry of entries) this.#add(entry);
  }

  has(address: string): boolean {
    return !this.#empty && this.#list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    const [, address = '', prefix] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
    const kind = isIP(address);
    const bits = kind === 4 ? IPV4_BYTES * 8 : IPV6_BYTES * 8;
    if (kind === 0 || Number(prefix ?? bits) > bits) throw new Error(`${entry} is no address or network`);
    this.#list.addSubnet(address, Number(prefix ?? bits), kind === 4 ? 'ipv4' : 'ipv6');
  }
}
