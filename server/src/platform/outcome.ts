import type { RefusalCode } from '@stampede/shared/protocol/codes.ts';

/**
 * Why a command did nothing. A refusal is an ordinary result: it was understood, and the answer is no. A broken
 * part throws instead, and a broken invariant is an assertion.
 */
export interface Refusal {
  readonly ok: false;
  readonly code: RefusalCode;
  /** The seats that stood in the way, where seats did. */
  readonly seats: readonly number[];
  /** For developers; interfaces word their own texts from `code`. */
  readonly detail: string;
  /** Milliseconds after which trying again makes sense; 0 where it depends on something else. */
  readonly retryAfterMs: number;
}

export type Outcome<T> = { readonly ok: true; readonly value: T } | Refusal;

export function done<T>(value: T): Outcome<T> {
  return { ok: true, value };
}

export function refuse(code: RefusalCode, more: Partial<Omit<Refusal, 'ok' | 'code'>> = {}): Refusal {
  return {
    ok: false,
    code,
    seats: more.seats ?? [],
    detail: more.detail ?? '',
    retryAfterMs: more.retryAfterMs ?? 0,
  };
}
