import { describe, expect, test } from 'vitest';
import { AddressList } from './ip-address.ts';
import { NetworkTags } from './network-tag.ts';

const secret = Buffer.alloc(32, 1);
const tags = new NetworkTags(secret, new AddressList(['10.0.0.0/8']));

describe('a network tag', () => {
  test('is one for a whole IPv6 /64 and for one IPv4 address', () => {
    expect(tags.of('2001:db8:1:2::1')).toBe(tags.of('2001:db8:1:2:ffff::9'));
    const others = ['2001:db8:1:2::1', '2001:db8:1:3::1', '203.0.113.1', '203.0.113.2'].map((one) =>
      tags.of(one),
    );
    expect(new Set(others).size).toBe(4);
  });

  test('is the same on every node of one secret, and another with another', () => {
    const [there, stranger] = [secret, Buffer.alloc(32, 2)].map(
      (key) => new NetworkTags(key, new AddressList()),
    );
    expect(there!.of('203.0.113.1')).toBe(tags.of('203.0.113.1'));
    expect(stranger!.of('203.0.113.1')).not.toBe(tags.of('203.0.113.1'));
  });

  test('says nothing of the address, and is short', () => {
    expect(tags.of('203.0.113.1')).toMatch(/^[A-Za-z0-9_-]{11}$/);
  });

  test('is none for those without limits', () => {
    expect(tags.of('10.1.2.3')).toBeNull();
  });
});
