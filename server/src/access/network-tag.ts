import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { type NetworkTag, networkTag } from '../platform/ids.ts';
import { type AddressList, budgetKey } from './ip-address.ts';

/** Keeps this use of the secret apart from any other use of it. */
const PURPOSE = 'stampede network tag';
/** 64 bits: of a million networks hardly two are taken for one. */
const TAG_LENGTH = 11;

/**
 * What stores count buyers by instead of their addresses [P7]: a keyed hash of the caller's network (one IPv4 address,
 * or an IPv6 /64), the same on every node of one secret. Who has the store but not the secret learns no address.
 */
export class NetworkTags {
  readonly #secret: KeyObject;
  readonly #unlimited: AddressList;

  constructor(secret: Uint8Array, unlimited: AddressList) {
    this.#secret = createSecretKey(secret);
    this.#unlimited = unlimited;
  }

  /** Of a canonical address; null for those that no limit per address holds for. */
  of(address: string): NetworkTag | null {
    if (this.#unlimited.has(address)) return null;
    const hash = createHmac('sha256', this.#secret).update(`${PURPOSE} ${budgetKey(address)}`);
    return networkTag(hash.digest('base64url').slice(0, TAG_LENGTH));
  }
}
