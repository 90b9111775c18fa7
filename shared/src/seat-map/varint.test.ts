import fc from 'fast-check';
import { expect, test } from 'vitest';
import { VarintReader, VarintWriter } from './varint.ts';

test('5.4 any number of 31 bits survives as a varint', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 31 - 1)), (values) => {
      const writer = new VarintWriter();
      for (const value of values) writer.write(value);
      const reader = new VarintReader(writer.finish());
      const read: number[] = [];
      while (!reader.done) read.push(reader.read());
      expect(reader.broken).toBe(false);
      expect(read).toEqual(values);
    }),
  );
});

test.each([
  ['cut off', [0x80]],
  ['longer than five bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
])('5.4 a varint that is %s breaks the reading', (_name, bytes) => {
  const reader = new VarintReader(Uint8Array.from(bytes));
  reader.read();
  expect(reader.broken).toBe(true);
  expect(reader.done).toBe(true);
});
