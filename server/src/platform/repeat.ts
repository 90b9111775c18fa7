import type { Clock } from '@stampede/shared/platform/clock.ts';

/**
 * Runs a job again and again, `intervalMs` after it last ended, so that runs never overlap and a slow one delays
 * instead of piling up. A run that throws is reported and the next one comes all the same. The returned function
 * ends it and resolves when a run under way is over.
 */
export function repeat(
  clock: Clock,
  intervalMs: number,
  job: () => Promise<void>,
  onError: (cause: unknown) => void,
): () => Promise<void> {
  let stopped = false;
  let running = Promise.resolve();
  let cancel = clock.after(intervalMs, run);

  function run(): void {
    running = job()
      .catch(onError)
      .then(() => {
        if (!stopped) cancel = clock.after(intervalMs, run);
      });
  }

  return async () => {
    stopped = true;
    cancel();
    await running;
  };
}
