import { readOptions, TaskError } from '../tasks/task.ts';

export interface StartArguments {
  /** Whether to run on real Redis, MySQL and Kafka instead of the embedded defaults. */
  readonly stack: boolean;
  /** Processes that serve buyers; with more than one, payments are settled by a process of its own. */
  readonly gateways: number;
  /** Whether buyers come through nginx, which takes the port; the gateways take the ones after it. */
  readonly nginx: boolean;
}

const GATEWAYS_MAX = 64;
const USAGE = 'npm start -- [--stack [--gateways N] [--nginx]]';

const OPTIONS = {
  stack: { type: 'boolean', default: false },
  gateways: { type: 'string', default: '1' },
  nginx: { type: 'boolean', default: false },
} as const;

/**
 * Reads what follows `npm start --`.
 * @throws TaskError that says what makes sense
 */
export function readStartArguments(args: readonly string[]): StartArguments {
  const { stack, gateways, nginx } = readOptions(args, OPTIONS, { hint: USAGE }).values;
  const count = Number(gateways);
  if (!Number.isInteger(count) || count < 1 || count > GATEWAYS_MAX) {
    throw new TaskError(`--gateways takes a whole number, 1 to ${GATEWAYS_MAX}. ${USAGE}`);
  }
  if (count > 1 && !stack) {
    throw new TaskError(
      `--gateways ${count} needs --stack: one process can't see another's memory. ${USAGE}`,
    );
  }
  if (nginx && !stack) throw new TaskError(`--nginx needs --stack. ${USAGE}`);
  return { stack, gateways: count, nginx };
}
