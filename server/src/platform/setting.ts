import { z } from 'zod';

/** One setting: how its text is read, and what people are told about it. */
export interface Setting<T> {
  /** As it would be written; empty: not set. */
  readonly fallback: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly secret: boolean;
  readonly schema: z.ZodType<T, string>;
}

/** How a setting is read; what it is for makes it one. */
interface Form<T> {
  means(meaning: string): Setting<T>;
}

const DIGITS = /^\d+$/;
const DECIMAL = /^\d+(\.\d+)?$/;
const SECRET_LENGTH_MIN = 32;
/** Fewer than in any 32 random hex digits, bar a miracle: what has fewer was typed, not drawn. */
const SECRET_CHARACTERS_MIN = 8;
const SECRETS_MAX = 8;

export function text<T>(
  fallback: string,
  allowed: string,
  schema: z.ZodType<T, string>,
  secret = false,
): Form<T> {
  return { means: (meaning) => ({ fallback, meaning, allowed, secret, schema }) };
}

export function integer(fallback: string, min: number, max: number): Form<number> {
  const schema = z.string().regex(DIGITS).transform(Number).pipe(z.number().min(min).max(max));
  return text(fallback, `a whole number, ${min} to ${max}`, schema);
}

export function fraction(fallback: string): Form<number> {
  const schema = z.string().regex(DECIMAL).transform(Number).pipe(z.number().max(1));
  return text(fallback, 'a number, 0 to 1', schema);
}

/** An address that may carry a password; its own adapter reads it and says what is wrong with it. */
export const optional: Form<string | null> = text(
  '',
  'text as described, or nothing',
  z.string().transform((value) => (value === '' ? null : value)),
  true,
);

export function oneOf<const T extends readonly [string, ...string[]]>(
  fallback: T[number],
  values: T,
): Form<T[number]> {
  return text(fallback, values.join(', '), z.string().pipe(z.enum(values)));
}

export function list<T>(
  fallback: string,
  allowed: string,
  read: (entries: string[]) => T,
  secret = false,
): Form<T> {
  const schema = z.string().transform((value, context) => {
    try {
      const entries = value.split(',').map((entry) => entry.trim());
      return read(entries.filter((entry) => entry !== ''));
    } catch {
      context.addIssue({ code: 'custom', message: allowed });
      return z.NEVER;
    }
  });
  return text(fallback, allowed, schema, secret);
}

/** Keys of one use, the newest first. */
export const secrets = list(
  '',
  `up to ${SECRETS_MAX} secrets of at least ${SECRET_LENGTH_MIN} random characters, separated by commas`,
  readSecrets,
  true,
);

function readSecrets(entries: readonly string[]): readonly string[] {
  const isWeak = (secret: string): boolean =>
    secret.length < SECRET_LENGTH_MIN || new Set(secret).size < SECRET_CHARACTERS_MIN;
  if (entries.length > SECRETS_MAX || entries.some(isWeak)) throw new Error('a secret is weak');
  return entries;
}
