/** Arrays within arrays: the deepest message is a frame with a list of structs, and one level is spare. */
const NESTING_MAX = 4;

/** What a first byte announces: `width` bytes that are the value or tell a size, unless the byte tells it itself. */
interface Form {
  readonly kind: 'value' | 'bytes' | 'text' | 'array';
  readonly width: number;
  readonly size?: number;
}

/** By first byte; what is not here is not plain. */
const FORMS: ReadonlyMap<number, Form> = new Map<number, Form>([
  ...[0xc0, 0xc2, 0xc3].map((token) => [token, { kind: 'value', width: 0 }] as const),
  ...[0xcc, 0xd0].map((token) => [token, { kind: 'value', width: 1 }] as const),
  ...[0xcd, 0xd1].map((token) => [token, { kind: 'value', width: 2 }] as const),
  ...[0xca, 0xce, 0xd2].map((token) => [token, { kind: 'value', width: 4 }] as const),
  ...[0xcb, 0xcf, 0xd3].map((token) => [token, { kind: 'value', width: 8 }] as const),
  ...[1, 2, 4].map((width, index) => [0xc4 + index, { kind: 'bytes', width }] as const),
  ...[1, 2, 4].map((width, index) => [0xd9 + index, { kind: 'text', width }] as const),
  ...[2, 4].map((width, index) => [0xdc + index, { kind: 'array', width }] as const),
]);
const utf8 = new TextDecoder('utf-8', { fatal: true });

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
    const form = formOf(frame[at++]);
    if (!form) return false;
    const { kind, width, size = bigEndian(frame, at, width) } = form;
    at += width;
    if (kind === 'array') {
      if (itemsLeft.length > NESTING_MAX) return false;
      itemsLeft.push(size);
    } else if (kind !== 'value') {
      if (kind === 'text' && !isUtf8(frame.subarray(at, at + size))) return false;
      at += size;
    }
  }
  return at === frame.length;
}

function formOf(token: number | undefined): Form | undefined {
  if (token === undefined) return undefined;
  if (token < 0x80 || token >= 0xe0) return { kind: 'value', width: 0 };
  if (token >= 0x90 && token <= 0x9f) return { kind: 'array', width: 0, size: token & 0x0f };
  if (token >= 0xa0 && token <= 0xbf) return { kind: 'text', width: 0, size: token & 0x1f };
  return FORMS.get(token);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** Bytes past the frame's end read as 0; the final comparison with its length notices them. */
function bigEndian(frame: Uint8Array, at: number, width: number): number {
  let value = 0;
  for (let index = 0; index < width; index++) value = value * 256 + (frame[at + index] ?? 0);
  return value;
}
