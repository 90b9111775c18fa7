import type { Clock } from '@stampede/shared/platform/clock.ts';
import { ConfigError } from './config-error.ts';
import type { Outside } from './outside.ts';

/** Bounds of the waiting between two tries, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * Milliseconds to wait after the `attempt`-th try (from 1) failed: doubling up to the bound, of which a random half
 * is taken off, so that those who failed together don't come back together ("equal jitter", AWS Architecture Blog,
 * 2015).
 * @param random in [0, 1)
 */
export function backoffMs({ firstMs, maxMs }: Backoff, attempt: number, random: number): number {
  const full = Math.min(maxMs, firstMs * 2 ** (attempt - 1));
  return Math.round(full * (0.5 + random / 2));
}

/** How often and how long something is tried. */
export interface RetryTerms {
  readonly backoff: Backoff;
  /** Tries in all; without it, until it succeeds. */
  readonly attemptsMax?: number;
  /** Ends the trying, also amid a pause; `retry` then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Whether trying again can't help; `retry` then rejects with the cause itself. */
  readonly isFinal?: (cause: unknown) => boolean;
  /** Told of each failure that is followed by another try. */
  readonly onTrouble?: (cause: unknown, againInMs: number) => void;
}

/**
 * Tries until `call` succeeds, with a growing, jittered pause after each failure. `call` must be one that may be
 * repeated: whether a failed try had an effect is unknown.
 * @param call gets the number of the try, from 1
 */
export async function retry<T>(
  { clock, random }: Pick<Outside, 'clock' | 'random'>,
  { backoff, attemptsMax = Infinity, signal, isFinal = () => false, onTrouble }: RetryTerms,
  call: (attempt: number) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    try {
      return await call(attempt);
    } catch (cause) {
      if (attempt >= attemptsMax || isFinal(cause)) throw cause;
      const againInMs = backoffMs(backoff, attempt, random());
      onTrouble?.(cause, againInMs);
      await pause(clock, againInMs, signal);
    }
  }
}

/** Resolves after some milliseconds, or as soon as the signal says so. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const cancel = clock.after(ms, end);
    signal?.addEventListener('abort', end, { once: true });
    if (signal?.aborted) end();
  });
}

/** An outside part gave no answer in time; whether the call had an effect is unknown. */
export class CallTimeoutError extends Error {
  override readonly name = 'CallTimeoutError';
}

/**
 * Waits for an answer from outside, but not for ever [P7]. The call itself goes on; an answer that comes too late
 * is ignored, so only calls that may be repeated belong here.
 * @throws CallTimeoutError after `timeoutMs`, else what the call rejects with
 */
export function answerWithin<T>(
  clock: Clock,
  timeoutMs: number,
  what: string,
  call: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(timeoutMs, () => {
      reject(new CallTimeoutError(`${what} gave no answer within ${timeoutMs} ms`));
    });
    call()
      .finally(cancel)
      .then(resolve, (cause: unknown) => {
        reject(cause instanceof Error ? cause : new Error(String(cause)));
      });
  });
}

/** Who opens something outside that may not be there yet. */
export interface OpeningParts extends Pick<Outside, 'clock' | 'random'> {
  /** Told once per failed attempt, in one line without secrets. */
  readonly onTrouble: (message: string) => void;
  /** Ends the attempts. */
  readonly signal?: AbortSignal;
}

/** Tries to open what a setting names until it is there, or waiting can't help: then it throws what says so. */
export function openPatiently<T>(
  setting: string,
  backoff: Backoff,
  parts: OpeningParts,
  open: () => Promise<T>,
  isFinal = (cause: unknown): boolean => cause instanceof ConfigError,
): Promise<T> {
  const onTrouble = (cause: unknown, againInMs: number): void => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    parts.onTrouble(`${setting}: ${reason}; trying again in ${againInMs} ms`);
  };
  return retry(parts, { backoff, isFinal, onTrouble, signal: parts.signal }, open);
}
