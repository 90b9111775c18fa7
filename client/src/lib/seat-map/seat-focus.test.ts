import { describe, expect, it } from 'vitest';
import { map } from '../../../test/small-venue.ts';
import { seatAfterKey } from './seat-focus.ts';

const section = map.sections[1]!;

describe('arrow keys among seats', () => {
  it('stay within the row to the sides and change rows up and down', () => {
    expect(seatAfterKey(section, 43, 'ArrowLeft')).toBe(42);
    expect(seatAfterKey(section, 40, 'ArrowLeft')).toBe(40);
    expect(seatAfterKey(section, 49, 'ArrowRight')).toBe(49);
    expect(seatAfterKey(section, 43, 'ArrowDown')).toBe(53);
    expect(seatAfterKey(section, 43, 'ArrowUp')).toBe(43);
    expect(seatAfterKey(section, 76, 'ArrowDown')).toBe(76);
  });

  it('jump to the ends of the row', () => {
    expect(seatAfterKey(section, 55, 'Home')).toBe(50);
    expect(seatAfterKey(section, 55, 'End')).toBe(59);
  });

  it('leave other keys and other sections alone', () => {
    expect(seatAfterKey(section, 43, 'Enter')).toBeNull();
    expect(seatAfterKey(section, 3, 'ArrowLeft')).toBeNull();
  });
});
