import { z } from 'zod';

/** One setting: how its text is read, and what people are told about it. */
export interface Setting<T> {
  readonly name: string;
  /** As it would be written; empty: not set. */
  readonly fallback: string;
  readonly meaning: string;
  readonly allowed: string;
  readonly secret: boolean;
  readonly schema: z.ZodType<T, string>;
}

export type SettingTexts = Pick<Setting<unknown>, 'name' | 'fallback' | 'meaning'>;

const DIGITS = /^\d+$/;
const DECIMAL = /^\d+(\.\d+)?$/;
const SECRET_LENGTH_MIN = 32;
/** Fewer than in any 32 random hex digits, bar a miracle: what has fewer was typed, not drawn. */
const SECRET_CHARACTERS_MIN = 8;
const SECRETS_MAX = 8;

export function text<T>(texts: SettingTexts, allowed: string, schema: z.ZodType<T, string>): Setting<T> {
  return { ...texts, allowed, schema, secret: false };
}

export function integer(texts: SettingTexts, min: number, max: number): Setting<number> {
  const schema = z.string().regex(DIGITS).transform(Number).pipe(z.number().min(min).max(max));
  return text(texts, `a whole number, ${min} to ${max}`, schema);
}

export function fraction(texts: SettingTexts): Setting<number> {
  const schema = z.string().regex(DECIMAL).transform(Number).pipe(z.number().max(1));
  return text(texts, 'a number, 0 to 1', schema);
}

/** An address that may carry a password; its own adapter reads it and says what is wrong with it. */
export function optional(texts: SettingTexts): Setting<string | null> {
  const schema = z.string().transform((value) => (value === '' ? null : value));
  return { ...texts, allowed: 'text as described, or nothing', schema, secret: true };
}

export function oneOf<const T extends readonly [string, ...string[]]>(
  texts: SettingTexts,
  values: T,
): Setting<T[number]> {
  return text(texts, values.join(', '), z.string().pipe(z.enum(values)));
}

export function list<T>(texts: SettingTexts, allowed: string, read: (entries: string[]) => T): Setting<T> {
  const schema = z.string().transform((value, context) => {
    try {
      const entries = value.split(',').map((entry) => entry.trim());
      return read(entries.filter((entry) => entry !== ''));
    } catch {
      context.addIssue({ code: 'custom', message: allowed });
      return z.NEVER;
    }
  });
  return text(texts, allowed, schema);
}

/** Keys of one use, the newest first. */
export function secrets(texts: SettingTexts): Setting<readonly string[]> {
  const allowed = `up to ${SECRETS_MAX} secrets of at least ${SECRET_LENGTH_MIN} random characters, separated by commas`;
  return { ...list(texts, allowed, readSecrets), secret: true };
}

function readSecrets(entries: readonly string[]): readonly string[] {
  const isWeak = (secret: string): boolean =>
    secret.length < SECRET_LENGTH_MIN || new Set(secret).size < SECRET_CHARACTERS_MIN;
  if (entries.length > SECRETS_MAX || entries.some(isWeak)) throw new Error('a secret is weak');
  return entries;
}
