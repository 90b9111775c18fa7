import fc from 'fast-check';

/** What stores stumble over: ends of text, quotes and escapes, wide characters, twins of one collation. */
const HOSTILE = [
  ...[
    '\0',
    '\u0001',
    '\n',
    '\u007f',
    "'",
    '"',
    '`',
    '\\',
    '%',
    '_',
    ';',
    '--',
    '?',
    '??',
    '${x}',
    ' ',
    '\u00a0',
  ],
  ...['a', 'A', 'ä', 'a\u0308', 'ß', 'ss', 'ı', 'I', '拒', '🎟', '\u{10ffff}', '\ufeff', '\u202e', '\ufffd'],
] as const;

const PRINTABLE_ASCII = Array.from({ length: 0x7e - 0x20 }, (_, code) => String.fromCharCode(0x21 + code));

const cut = (text: string, lengthMax: number): string => Array.from(text).slice(0, lengthMax).join('');

/** Well-formed text of at most so many code points, often one that is known to do harm, sometimes as long as may be. */
export function hostileText(lengthMax: number): fc.Arbitrary<string> {
  const mixed = fc.array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: 'binary', maxLength: 5 })));
  const long = fc.constantFrom(...HOSTILE).map((one) => one.repeat(lengthMax));
  return fc
    .oneof(
      fc.constantFrom(...HOSTILE),
      mixed.map((parts) => parts.join('')),
      long,
      fc.constant('x '),
    )
    .map((text) => cut(text, lengthMax));
}

/** What the protocol calls a word: printable ASCII without spaces, quotes and escapes included. */
export function hostileWord(lengthMax: number, lengthMin: number): fc.Arbitrary<string> {
  const unit = fc.constantFrom(...PRINTABLE_ASCII);
  return fc.string({ unit, minLength: lengthMin, maxLength: lengthMax });
}
