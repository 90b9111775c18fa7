import { describe, expect, it } from 'vitest';
import { qrPathOf } from './qr-path.ts';

describe('QR path', () => {
  it('starts with the finder pattern, seven modules wide, in the corner', () => {
    const { size, path } = qrPathOf('V06WBBD36ZXRS90B');
    expect(size).toBeGreaterThanOrEqual(21);
    expect(path.startsWith('M0 0h7v1H0z')).toBe(true);
  });

  it('differs for different codes', () => {
    expect(qrPathOf('A').path).not.toBe(qrPathOf('B').path);
  });
});
