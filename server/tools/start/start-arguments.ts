import { parseArgs } from 'node:util';

export interface StartArguments {
  /** Whether to run on real Redis, MySQL and Kafka instead of the embedded defaults. */
  readonly stack: boolean;
  /** Processes that serve buyers; with more than one, payments are settled by a process of its own. */
  readonly gateways: number;
  /** Whether buyers come through nginx, which takes the port; the gateways take the ones after it. */
  readonly nginx: boolean;
}

/** What `npm start` was asked for makes no sense; the message says what does. */
export class StartArgumentsError extends Error {
  override readonly name = 'StartArgumentsError';
}

const GATEWAYS_MAX = 64;
const USAGE = 'npm start -- [--stack [--gateways N] [--nginx]]';

/** Reads what follows `npm start --`. Throws `StartArgumentsError`. */
export function readStartArguments(args: readonly string[]): StartArguments {
  const { stack, gateways, nginx } = parsed(args);
  const count = Number(gateways);
  if (!Number.isInteger(count) || count < 1 || count > GATEWAYS_MAX) {
    throw new StartArgumentsError(`--gateways takes a whole number, 1 to ${GATEWAYS_MAX}. ${USAGE}`);
  }
  if (count > 1 && !stack) {
    throw new StartArgumentsError(
      `--gateways ${count} needs --stack: one process can't see another's memory. ${USAGE}`,
    );
  }
  if (nginx && !stack) throw new StartArgumentsError(`--nginx needs --stack. ${USAGE}`);
  return { stack, gateways: count, nginx };
}

function parsed(args: readonly string[]): { stack: boolean; gateways: string; nginx: boolean } {
  try {
    const options = {
      stack: { type: 'boolean', default: false },
      gateways: { type: 'string', default: '1' },
      nginx: { type: 'boolean', default: false },
    } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    throw new StartArgumentsError(`${cause instanceof Error ? cause.message : String(cause)} ${USAGE}`, {
      cause,
    });
  }
}
