/**
 * Reads the fields of a server's frame where they lie, without unpacking it: at hundreds of thousands of messages a
 * second, an object for each would be most of what is measured. A frame is the MessagePack array `[opcode, …fields]`.
 */
const OPCODE_AT = 1;
const FIELDS_AT = 2;

const FIXINT_MAX = 0x7f;
const DOUBLE = 0xcb;
const UINT8 = 0xcc;
const UINT16 = 0xcd;
const UINT32 = 0xce;
const UINT64 = 0xcf;

/** The opcode of the frame whose payload begins at `start`. */
export function opcodeAt(bytes: Buffer, start: number): number {
  return bytes[start + OPCODE_AT] ?? 0;
}

/** Where the first field begins. */
export function firstField(start: number): number {
  return start + FIELDS_AT;
}

/** Where the field after a number begins. */
export function afterNumber(bytes: Buffer, at: number): number {
  const kind = bytes[at] ?? 0;
  if (kind <= FIXINT_MAX) return at + 1;
  switch (kind) {
    case UINT8:
      return at + 2;
    case UINT16:
      return at + 3;
    case UINT32:
      return at + 5;
    case UINT64:
    case DOUBLE:
      return at + 9;
    default:
      throw new RangeError(`no number at ${at}: ${kind.toString(16)}`);
  }
}

/** A whole number at `at`. */
export function numberAt(bytes: Buffer, at: number): number {
  const kind = bytes[at] ?? 0;
  if (kind <= FIXINT_MAX) return kind;
  switch (kind) {
    case UINT8:
      return bytes.readUInt8(at + 1);
    case UINT16:
      return bytes.readUInt16BE(at + 1);
    case UINT32:
      return bytes.readUInt32BE(at + 1);
    case UINT64:
      return Number(bytes.readBigUInt64BE(at + 1));
    case DOUBLE:
      return bytes.readDoubleBE(at + 1);
    default:
      throw new RangeError(`no number at ${at}: ${kind.toString(16)}`);
  }
}
