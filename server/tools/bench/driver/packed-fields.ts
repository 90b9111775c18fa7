/**
 * Reads the fields of a server's frame where they lie, without unpacking it: at hundreds of thousands of messages a
 * second, an object for each would be most of what is measured. A frame is the MessagePack array `[opcode, …fields]`.
 */
const OPCODE_AT = 1;
const FIELDS_AT = 2;
const FIXINT_MAX = 0x7f;

/** Numbers as MessagePack has them: bytes after the first, and how they are read. */
const KINDS: Readonly<Record<number, readonly [bytes: number, read: (bytes: Buffer, at: number) => number]>> =
  {
    0xcb: [8, (bytes, at) => bytes.readDoubleBE(at)],
    0xcc: [1, (bytes, at) => bytes.readUInt8(at)],
    0xcd: [2, (bytes, at) => bytes.readUInt16BE(at)],
    0xce: [4, (bytes, at) => bytes.readUInt32BE(at)],
    0xcf: [8, (bytes, at) => Number(bytes.readBigUInt64BE(at))],
  };

/** The opcode of the frame whose payload begins at `start`. */
export const opcodeAt = (bytes: Buffer, start: number): number => bytes[start + OPCODE_AT] ?? 0;

/** Where the first field begins. */
export const firstField = (start: number): number => start + FIELDS_AT;

function kindAt(bytes: Buffer, at: number) {
  const kind = KINDS[bytes[at] ?? 0];
  if (kind) return kind;
  throw new RangeError(`no number at ${at}: ${(bytes[at] ?? 0).toString(16)}`);
}

/** Where the field after a number begins. */
export function afterNumber(bytes: Buffer, at: number): number {
  return (bytes[at] ?? 0) <= FIXINT_MAX ? at + 1 : at + 1 + kindAt(bytes, at)[0];
}

/** A whole number at `at`. */
export function numberAt(bytes: Buffer, at: number): number {
  const first = bytes[at] ?? 0;
  return first <= FIXINT_MAX ? first : kindAt(bytes, at)[1](bytes, at + 1);
}
