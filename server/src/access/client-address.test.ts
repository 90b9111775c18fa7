import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isOriginAllowed } from './allowed-origins.ts';
import { clientOf } from './client-address.ts';
import { AddressList, addressOfBytes, budgetKey, canonicalAddress } from './ip-address.ts';

const bytes = (...values: number[]) => Uint8Array.from(values);

describe('addresses', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['192.0.2.1:4711', '192.0.2.1'],
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['[2001:db8::1]:443', '2001:db8::1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['unknown', null],
    ['', null],
    ['192.0.2.256', null],
    ['_hidden', null],
  ])('spells %j one way', (text, canonical) => {
    expect(canonicalAddress(text)).toBe(canonical);
  });

  it('reads the bytes of a socket', () => {
    expect(addressOfBytes(bytes(127, 0, 0, 1))).toBe('127.0.0.1');
    expect(addressOfBytes(bytes(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 192, 0, 2, 1))).toBe('192.0.2.1');
    expect(addressOfBytes(bytes(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1))).toBe('2001:db8::1');
  });

  it('spells what it spelled the same again', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        const canonical = canonicalAddress(address);
        expect(canonical).not.toBeNull();
        expect(canonicalAddress(canonical ?? '')).toBe(canonical);
      }),
    );
  });

  it('[P7] counts IPv4 by address and IPv6 by /64', () => {
    expect(budgetKey('192.0.2.1')).toBe('192.0.2.1');
    expect(budgetKey('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(budgetKey('2001:db8::1')).toBe('2001:db8:0:0::/64');
    expect(budgetKey('::1')).toBe('0:0:0:0::/64');
    expect(budgetKey('2001:db8:1:2::')).toBe('2001:db8:1:2::/64');
  });
});

describe('address lists', () => {
  it('knows addresses and networks of both families', () => {
    const list = new AddressList(['127.0.0.1', '10.0.0.0/8', 'fd00::/8']);
    expect(['127.0.0.1', '10.9.8.7', 'fd12::1'].every((one) => list.has(one))).toBe(true);
    expect(['127.0.0.2', '11.0.0.1', 'fe80::1'].some((one) => list.has(one))).toBe(false);
  });

  it.each(['10.0.0.0/33', 'proxy.example', '10.0.0/8', '::1/129', '1.2.3.4/', ''])('refuses %j', (entry) => {
    expect(() => new AddressList([entry])).toThrow(/is no address or network/);
  });
});

describe('the client behind a request', () => {
  const trusted = new AddressList(['10.0.0.0/8']);
  const client = (address: string, forwardedFor: string, forwardedProto = '') =>
    clientOf({ address, forwardedFor, forwardedProto }, trusted);

  it('[P7] nobody but a known proxy can say who the client is', () => {
    expect(client('203.0.113.9', '1.1.1.1', 'https')).toEqual({ address: '203.0.113.9', https: false });
  });

  it('is the last address that no known proxy has', () => {
    expect(client('10.0.0.1', '198.51.100.7').address).toBe('198.51.100.7');
    expect(client('10.0.0.1', '1.1.1.1, 198.51.100.7, 10.0.0.2').address).toBe('198.51.100.7');
    expect(client('10.0.0.1', '2001:DB8::0:1').address).toBe('2001:db8::1');
  });

  it('is the outermost proxy when there is nobody else, and the passing proxy when the entry is no address', () => {
    expect(client('10.0.0.1', '10.0.0.3, 10.0.0.2').address).toBe('10.0.0.3');
    expect(client('10.0.0.1', '').address).toBe('10.0.0.1');
    expect(client('10.0.0.1', '198.51.100.7, unknown, 10.0.0.2').address).toBe('10.0.0.2');
  });

  it('spoke https if the proxy says so', () => {
    expect(client('10.0.0.1', '198.51.100.7', 'https').https).toBe(true);
    expect(client('10.0.0.1', '198.51.100.7', 'HTTPS, http').https).toBe(true);
    expect(client('10.0.0.1', '198.51.100.7', 'http').https).toBe(false);
  });
});

describe('origins', () => {
  it.each([
    ['http://localhost:8083', 'localhost:8083', true],
    ['https://tickets.example', 'tickets.example:443', true],
    ['https://tickets.example', 'TICKETS.example', true],
    ['', 'localhost:8083', true],
    ['http://evil.example', 'localhost:8083', false],
    ['http://localhost:8084', 'localhost:8083', false],
    ['null', 'localhost:8083', false],
    ['http://localhost:8083', '', false],
    ['file://localhost:8083', 'localhost:8083', false],
    ['http://localhost:8083', 'localhost:8083@evil', false],
  ])('[P6] a page of %j at host %j: %s', (origin, host, allowed) => {
    expect(isOriginAllowed(origin, host, [])).toBe(allowed);
  });

  it('[P6] a list replaces the same-host rule', () => {
    const list = ['https://tickets.example'];
    expect(isOriginAllowed('https://tickets.example', 'inside:8083', list)).toBe(true);
    expect(isOriginAllowed('http://inside:8083', 'inside:8083', list)).toBe(false);
  });
});
