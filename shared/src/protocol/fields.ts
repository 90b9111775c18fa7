/**
 * The vocabulary of message fields. A field knows how its value lies on the wire (`pack`) and how to read it back
 * with every bound checked (`read`). Structs and messages travel as arrays in field order, without names.
 */
export interface Field<T> {
  /** How the value lies on the wire and within which bounds, as PROTOCOL.md prints it. */
  readonly wire: string;
  pack(value: T): unknown;
  /** Throws `FieldError` unless `raw` is exactly a value of this field. */
  read(raw: unknown): T;
}

/** What a field was and why it could not be read; becomes a `malformed` refusal, never a crash. */
export class FieldError extends Error {}

export type FieldValue<F> = F extends Field<infer T> ? T : never;

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The object type that a set of named fields describes. */
export type FieldValues<F> = { readonly [Name in keyof F]: FieldValue<F[Name]> };

export const UINT32_MAX = 2 ** 32 - 1;
/** Longer sets of codes have a section of PROTOCOL.md to themselves. */
const CODES_PRINTED_MAX = 8;

/** A value that travels as it is. */
function asItIs<T>(wire: string, isOne: (raw: unknown) => raw is T, expected: string): Field<T> {
  return {
    wire,
    pack: (value) => value,
    read(raw) {
      if (!isOne(raw)) throw new FieldError(`expected ${expected}`);
      return raw;
    },
  };
}

/** How a bound is printed. */
function printed(max: number): string {
  if (max === Number.MAX_SAFE_INTEGER) return '2^53−1';
  return max === UINT32_MAX ? '2^32−1' : String(max);
}

/** A whole number `min…max`, at most 2^53 − 1. */
export function uint(max: number = Number.MAX_SAFE_INTEGER, min = 0): Field<number> {
  const isOne = (raw: unknown): raw is number =>
    typeof raw === 'number' && Number.isInteger(raw) && raw >= min && raw <= max;
  return asItIs(`uint ${min}…${printed(max)}`, isOne, `a whole number ${min}…${max}`);
}

/** Text of `min…max` UTF-16 code units. */
export function text(max: number, min = 0): Field<string> {
  const isOne = (raw: unknown): raw is string =>
    typeof raw === 'string' && raw.length >= min && raw.length <= max;
  const wire = min === max ? `text of ${max}` : `text of ${min}…${max}`;
  return asItIs(wire, isOne, `text of ${min}…${max} characters`);
}

const PRINTABLE_ASCII = /^[\x21-\x7e]*$/;

/** Text of `min…max` printable ASCII characters without spaces: the same bytes in every store, equal to itself alone. */
export function asciiWord(max: number, min: number): Field<string> {
  const word = text(max, min);
  return {
    wire: `word of ${min}…${max}`,
    pack: (value) => word.pack(value),
    read(raw) {
      const value = word.read(raw);
      if (!PRINTABLE_ASCII.test(value)) throw new FieldError('expected printable ASCII without spaces');
      return value;
    },
  };
}

/** Bytes, at most `max`. */
export function bytes(max: number): Field<Uint8Array> {
  const isOne = (raw: unknown): raw is Uint8Array => raw instanceof Uint8Array && raw.length <= max;
  return asItIs(`bytes, at most ${max}`, isOne, `at most ${max} bytes`);
}

/** One of a fixed set of names; its number in `numbers` travels. */
export function oneOf<Name extends string>(numbers: Readonly<Record<Name, number>>): Field<Name> {
  const names = new Map<unknown, Name>();
  for (const name in numbers) names.set(numbers[name], name);
  const wire = Array.from(names, ([number, name]) => `${String(number)} ${name}`).join(', ');
  return {
    wire: names.size > CODES_PRINTED_MAX ? 'uint, one of a fixed set' : `one of ${wire}`,
    pack: (value) => numbers[value],
    read(raw) {
      const name = names.get(raw);
      if (name === undefined) throw new FieldError('expected one of a fixed set of codes');
      return name;
    },
  };
}

/** A list of `min…max` items. */
export function list<T>(item: Field<T>, max: number, min = 0): Field<readonly T[]> {
  return {
    wire: `list of ${min}…${max}: ${item.wire}`,
    pack: (values) => values.map((value) => item.pack(value)),
    read(raw) {
      if (!Array.isArray(raw) || raw.length < min || raw.length > max) {
        throw new FieldError(`expected a list of ${min}…${max} items`);
      }
      return raw.map((one) => item.read(one));
    },
  };
}

/** A list whose items differ from one another in what `keyOf` returns. */
export function distinct<T>(items: Field<readonly T[]>, keyOf: (item: T) => unknown): Field<readonly T[]> {
  return {
    wire: `distinct ${items.wire}`,
    pack: (values) => items.pack(values),
    read(raw) {
      const values = items.read(raw);
      if (new Set(values.map(keyOf)).size < values.length) throw new FieldError('expected no item twice');
      return values;
    },
  };
}

/** A value that may be absent; travels as nil. */
export function optional<T>(field: Field<T>): Field<T | null> {
  return {
    wire: `nil or ${field.wire}`,
    pack: (value) => (value === null ? null : field.pack(value)),
    read: (raw) => (raw === null ? null : field.read(raw)),
  };
}

/** Named fields in one array, in the order they are written here. */
export function struct<F extends Fields>(fields: F): Field<FieldValues<F>> {
  const names = Object.keys(fields);
  const parts = Object.values<Field<unknown>>(fields);
  return {
    wire: `[${parts.map((part, index) => `${names[index] ?? ''}: ${part.wire}`).join('; ')}]`,
    pack: (value) => parts.map((part, index) => part.pack(value[names[index] as keyof F])),
    read(raw) {
      if (!Array.isArray(raw) || raw.length !== parts.length) {
        throw new FieldError(`expected ${parts.length} values`);
      }
      const value: Record<string, unknown> = {};
      parts.forEach((part, index) => {
        const name = names[index] ?? '';
        try {
          value[name] = part.read(raw[index]);
        } catch (cause) {
          if (cause instanceof FieldError) throw new FieldError(`${name}: ${cause.message}`);
          throw cause;
        }
      });
      return value as FieldValues<F>;
    },
  };
}
