import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BINARY, FrameError, FrameReader, maskedFrame, PING, TEXT } from './mass-crowd.ts';

/** A server's frame, written the long way round. */
function serverFrame(opcode: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const header =
    length <= 125
      ? Buffer.of(0x80 | opcode, length)
      : length <= 0xffff
        ? Buffer.of(0x80 | opcode, 126, length >> 8, length & 0xff)
        : Buffer.concat([Buffer.of(0x80 | opcode, 127), bigLength(length)]);
  return Buffer.concat([header, payload]);
}

function bigLength(length: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

/** What a server reads from a client's frame. */
function unmasked(frame: Buffer): { opcode: number; payload: Buffer } {
  const short = frame[1]! & 0x7f;
  expect(frame[1]! & 0x80).toBe(0x80);
  expect(frame[0]! & 0x80).toBe(0x80);
  const length = short === 126 ? frame.readUInt16BE(2) : short;
  const at = short === 126 ? 4 : 2;
  const key = frame.subarray(at, at + 4);
  const payload = Buffer.from(frame.subarray(at + 4).map((byte, index) => byte ^ key[index % 4]!));
  expect(payload.length).toBe(length);
  return { opcode: frame[0]! & 0x0f, payload };
}

/** Everything a reader finds in pieces of these sizes, through one buffer that is overwritten each time. */
function readInPieces(stream: Buffer, sizes: readonly number[]) {
  const reader = new FrameReader();
  const buffer = Buffer.alloc(stream.length);
  const found: { opcode: number; payload: Buffer }[] = [];
  for (let at = 0, piece = 0; at < stream.length; piece++) {
    const size = Math.min(stream.length - at, sizes[piece % sizes.length]!);
    buffer.fill(0xee);
    stream.copy(buffer, 0, at, at + size);
    reader.push(buffer, size, (opcode, bytes, start, end) => {
      found.push({ opcode, payload: Buffer.from(bytes.subarray(start, end)) });
    });
    at += size;
  }
  return found;
}

const payloads = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 0, max: 70_000 }).map((length) => new Uint8Array(length).fill(length)),
);
const frames = fc.array(fc.tuple(fc.constantFrom(BINARY, TEXT, PING), payloads), { maxLength: 8 });

describe('frames of the mass client', () => {
  test('are read whole, however the network cuts them', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1 }), (sent, sizes) => {
        const stream = Buffer.concat(sent.map(([opcode, payload]) => serverFrame(opcode, payload)));
        const found = readInPieces(stream, sizes);
        expect(found.map(({ opcode }) => opcode)).toEqual(sent.map(([opcode]) => opcode));
        found.forEach(({ payload }, index) => expect(payload.equals(sent[index]![1])).toBe(true));
      }),
    );
  });

  test('one byte at a time is enough', () => {
    const stream = Buffer.concat([
      serverFrame(BINARY, Buffer.alloc(200, 1)),
      serverFrame(BINARY, Buffer.of(2)),
      serverFrame(BINARY, Buffer.alloc(2_000, 3)),
    ]);
    expect(readInPieces(stream, [1]).map(({ payload }) => payload.length)).toEqual([200, 1, 2_000]);
  });

  test('of a client are masked and say their length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (payload) => {
        expect(unmasked(maskedFrame(payload))).toEqual({ opcode: BINARY, payload: Buffer.from(payload) });
      }),
    );
    expect(unmasked(maskedFrame(Buffer.of(7), TEXT)).opcode).toBe(TEXT);
    expect(() => maskedFrame(new Uint8Array(65_536))).toThrow(RangeError);
  });

  test('that no server sends are an error: fragments, masked ones', () => {
    const push = (...bytes: number[]) => {
      new FrameReader().push(Buffer.from(bytes), bytes.length, () => undefined);
    };
    expect(() => push(0x02, 0x01, 0x00)).toThrow(FrameError);
    expect(() => push(0x82, 0x81, 0, 0, 0, 0, 0)).toThrow(FrameError);
  });
});
