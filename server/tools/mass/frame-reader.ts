const OPCODE_MASK = 0x0f;
const FINAL = 0x80;
const MASKED = 0x80;
const LENGTH_MASK = 0x7f;
const LENGTH_16 = 126;
const LENGTH_64 = 127;

/** Told of each frame: its payload is `bytes[start … end)`, which is good only until this returns. */
export type FrameSink = (opcode: number, bytes: Buffer, start: number, end: number) => void;

/** What arrived is none of the frames that a server sends us. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/**
 * Cuts what a server sends into frames, wherever the network cut it. While frames arrive whole, nothing is allocated
 * or copied.
 */
export class FrameReader {
  #rest: Buffer | null = null;

  /**
   * Reads `bytes[0 … length)`, which may be overwritten afterwards.
   * @throws FrameError for masked or fragmented frames
   */
  push(bytes: Buffer, length: number, sink: FrameSink): void {
    let data = bytes;
    let end = length;
    if (this.#rest) {
      data = Buffer.concat([this.#rest, bytes.subarray(0, length)]);
      end = data.length;
      this.#rest = null;
    }
    let at = 0;
    while (at + 2 <= end) {
      const first = data[at] ?? 0;
      const second = data[at + 1] ?? 0;
      if ((first & FINAL) === 0 || (second & MASKED) !== 0) {
        throw new FrameError(`not a server's whole frame: ${first.toString(16)} ${second.toString(16)}`);
      }
      const short = second & LENGTH_MASK;
      const headerEnd = at + 2 + (short === LENGTH_16 ? 2 : short === LENGTH_64 ? 8 : 0);
      if (headerEnd > end) break;
      const size = payloadLength(data, at + 2, short);
      if (headerEnd + size > end) break;
      sink(first & OPCODE_MASK, data, headerEnd, headerEnd + size);
      at = headerEnd + size;
    }
    // Copied, because the caller's bytes are its own again after this.
    if (at < end) this.#rest = Buffer.from(data.subarray(at, end));
  }
}

function payloadLength(data: Buffer, at: number, short: number): number {
  if (short === LENGTH_16) return data.readUInt16BE(at);
  if (short === LENGTH_64) return Number(data.readBigUInt64BE(at));
  return short;
}
