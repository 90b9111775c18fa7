import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { describe, expect, it } from 'vitest';
import { ConnectionLimits } from './connection-limits.ts';

const SOCKETS_PER_ADDRESS = 5;
const PER_ADDRESS = 110;

/** Limits over connections that the test makes and ends; `census: false`: nobody can count them. */
function makeLimits({ filesMax = null as number | null, census = true } = {}) {
  const clock = new ManualClock();
  const open: string[] = [];
  const limits = new ConnectionLimits({
    filesMax,
    socketsPerAddressMax: SOCKETS_PER_ADDRESS,
    isExempt: (address) => address === '10.0.0.1',
    census: () => (census ? open : null),
    clock,
  });
  const connect = (address: string) => {
    open.push(address);
    const admission = limits.arrived(address);
    if (admission !== 'welcome') end(address);
    return admission;
  };
  const end = (address: string) => {
    open.splice(open.indexOf(address), 1);
    limits.left();
  };
  const connectMany = (count: number, address: string) =>
    Array.from({ length: count }, () => connect(address)).filter((one) => one === 'welcome').length;
  return { clock, connect, connectMany, end };
}

describe('bounds of connections', () => {
  it('[P7] an address has so many, its whole IPv6 network together, and others have theirs', () => {
    const { connect, connectMany } = makeLimits();
    expect(connectMany(500, '192.0.2.1')).toBe(PER_ADDRESS);
    expect(connect('192.0.2.1')).toBe('connection-of-address');
    expect(connectMany(PER_ADDRESS, '2001:db8::1')).toBe(PER_ADDRESS);
    expect(connect('2001:db8::2')).toBe('connection-of-address');
    expect(connect('192.0.2.2')).toBe('welcome');
  });

  it('[P7] those that ended make room, however often that is', () => {
    const { clock, connect, connectMany, end } = makeLimits();
    for (let round = 0; round < 50; round++) {
      expect(connectMany(PER_ADDRESS, '192.0.2.1')).toBe(PER_ADDRESS);
      for (let one = 0; one < PER_ADDRESS; one++) end('192.0.2.1');
      clock.advance(5_000);
    }
    connectMany(PER_ADDRESS, '192.0.2.1');
    end('192.0.2.1');
    clock.advance(5_000);
    expect([connect('192.0.2.1'), connect('192.0.2.1')]).toEqual(['welcome', 'connection-of-address']);
  });

  it('[P7] never lets in more than the bound, in whatever order they come and go', () => {
    const { clock, connectMany, end } = makeLimits();
    let open = 0;
    for (let step = 0; step < 200; step++) {
      open += connectMany((step * 7) % 130, '192.0.2.1');
      expect(open).toBeLessThanOrEqual(PER_ADDRESS);
      for (let one = (step * 5) % 40; one > 0 && open > 0; one--, open--) end('192.0.2.1');
      clock.advance(700);
    }
  });

  it('[P7] where nobody can count, an address may make so many in a few seconds', () => {
    const { clock, connectMany } = makeLimits({ census: false });
    expect(connectMany(PER_ADDRESS, '192.0.2.1')).toBe(PER_ADDRESS);
    clock.advance(5_000);
    expect(connectMany(500, '192.0.2.1')).toBeLessThanOrEqual(PER_ADDRESS + 1);
  });

  it('[P7] all together leave a reserve of the files that the process may have, also who has no limits', () => {
    const { connect, connectMany, end } = makeLimits({ filesMax: 100 });
    expect(connectMany(500, '10.0.0.1')).toBe(36);
    expect(connect('192.0.2.9')).toBe('connection-of-all');
    end('10.0.0.1');
    expect(connect('192.0.2.9')).toBe('welcome');
  });
});
