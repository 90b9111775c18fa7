import type { Clock } from '@stampede/shared/platform/clock.ts';

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
    call().then(
      (answer) => {
        cancel();
        resolve(answer);
      },
      (cause: unknown) => {
        cancel();
        reject(cause instanceof Error ? cause : new Error(String(cause)));
      },
    );
  });
}
