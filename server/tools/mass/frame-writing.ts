/** RFC 6455, section 5.2. */
export const BINARY = 0x2;
export const TEXT = 0x1;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

const FINAL = 0x80;
const MASKED = 0x80;
const SHORT_MAX = 125;
const LENGTH_16 = 126;
const UINT16_MAX = 0xffff;
const MASK_BYTES = 4;

/**
 * A client's frame of one message. The masking key is zero, which leaves the payload as it is and is masking all the
 * same to whoever reads it: the key protects proxies from scripts in browsers, and there is neither.
 * @throws RangeError for more than 64 KiB, which no client says
 */
export function maskedFrame(payload: Uint8Array, opcode = BINARY): Buffer {
  if (payload.length > UINT16_MAX) throw new RangeError(`a client's frame of ${payload.length} bytes`);
  const isShort = payload.length <= SHORT_MAX;
  const header = isShort
    ? [FINAL | opcode, MASKED | payload.length]
    : [FINAL | opcode, MASKED | LENGTH_16, payload.length >> 8, payload.length & 0xff];
  const frame = Buffer.alloc(header.length + MASK_BYTES + payload.length);
  frame.set(header);
  frame.set(payload, header.length + MASK_BYTES);
  return frame;
}
