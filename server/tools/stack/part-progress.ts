import { type Report } from '../tasks/task.ts';

/** Silence longer than this looks like a hang. */
const REMINDER_MS = 10_000;
const NAME_WIDTH = 7;

/**
 * Tells on one line each what happens to a part, and how long a step takes while it goes on.
 * @param work is given what to report to, and returns its result with the last words on it
 */
export async function withPartProgress<Result>(
  part: string,
  print: (line: string) => void,
  work: (report: Report) => Promise<{ readonly result: Result; readonly said: string }>,
): Promise<Result> {
  const startedMs = performance.now();
  const seconds = (): string => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  const line = (message: string): void => print(`${part.padEnd(NAME_WIDTH)} ${message}`);
  let step = 'looking after it';
  const reminder = setInterval(() => line(`${step} … ${seconds()}`), REMINDER_MS);
  const report: Report = (message) => {
    step = message;
    line(`${message} …`);
  };
  try {
    const { result, said } = await work(report);
    line(`${said} (${seconds()})`);
    return result;
  } catch (error) {
    line(`failed (${seconds()})`);
    throw error;
  } finally {
    clearInterval(reminder);
  }
}
