/** Arrays within arrays: the deepest message is a frame with a list of structs, and one level is spare. */
const NESTING_MAX = 4;

/** Bytes of scalars whose length their first byte tells alone; what is in no table here is not plain. */
const SCALAR_BYTES: ReadonlyMap<number, number> = new Map([
  ...[0xc0, 0xc2, 0xc3].map((token) => [token, 1] as const),
  ...[0xcc, 0xd0].map((token) => [token, 2] as const),
  ...[0xcd, 0xd1].map((token) => [token, 3] as const),
  ...[0xca, 0xce, 0xd2].map((token) => [token, 5] as const),
  ...[0xcb, 0xcf, 0xd3].map((token) => [token, 9] as const),
]);
/** Bytes and texts with a length of 1, 2 or 4 bytes behind the first one. */
const LENGTH_WIDTH: ReadonlyMap<number, number> = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
]);
/** Bytes in front of a text's own, by its first byte where that is no short text. */
const TEXT_HEAD: ReadonlyMap<number, number> = new Map([
  [0xd9, 2],
  [0xda, 3],
  [0xdb, 5],
]);
const ASCII_MAX = 0x7f;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const ARRAY_WIDTH: ReadonlyMap<number, number> = new Map([
  [0xdc, 2],
  [0xdd, 4],
]);

/**
 * Whether a frame is exactly one MessagePack value built of nil, booleans, numbers, texts, bytes and arrays. The
 * decoder knows more: maps, and extensions that build regular expressions, errors and compiled record readers.
 * None of our messages has them, so a stranger's bytes are turned away before the decoder sees them [P7]. Nor does
 * it mind what is no UTF-8, lone surrogates among it: two texts that differ would be read as one.
 */
export function isPlainFrame(frame: Uint8Array): boolean {
  const itemsLeft = [1];
  let at = 0;
  for (let left = itemsLeft.pop(); left !== undefined; left = itemsLeft.pop()) {
    if (left === 0) continue;
    itemsLeft.push(left - 1);
    const token = frame[at];
    if (token === undefined) return false;
    const arrayWidth = isFixArray(token) ? 0 : ARRAY_WIDTH.get(token);
    if (arrayWidth === undefined) {
      const length = scalarLength(frame, at, token);
      if (length === null) return false;
      const head = isShortText(token) ? 1 : TEXT_HEAD.get(token);
      if (head !== undefined && !isUtf8(frame.subarray(at + head, at + length))) return false;
      at += length;
    } else {
      if (itemsLeft.length > NESTING_MAX) return false;
      itemsLeft.push(arrayWidth === 0 ? token & 0x0f : bigEndian(frame, at + 1, arrayWidth));
      at += 1 + arrayWidth;
    }
  }
  return at === frame.length;
}

function isFixArray(token: number): boolean {
  return token >= 0x90 && token <= 0x9f;
}

function isShortText(token: number): boolean {
  return token >= 0xa0 && token <= 0xbf;
}

function isUtf8(bytes: Uint8Array): boolean {
  if (bytes.every((byte) => byte <= ASCII_MAX)) return true;
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function scalarLength(frame: Uint8Array, at: number, token: number): number | null {
  if (token < 0x80 || token >= 0xe0) return 1;
  if (isShortText(token)) return 1 + (token & 0x1f);
  const width = LENGTH_WIDTH.get(token);
  if (width !== undefined) return 1 + width + bigEndian(frame, at + 1, width);
  return SCALAR_BYTES.get(token) ?? null;
}

/** Bytes past the frame's end read as 0; the final comparison with its length notices them. */
function bigEndian(frame: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + (frame[at + index] ?? 0);
  return value;
}
