import { parseArgs } from 'node:util';
import { StackError } from './stack-error.ts';

/**
 * Reads flags that a task knows.
 * @throws StackError that names what it doesn't know
 */
export function readArguments<const Name extends string>(
  args: readonly string[],
  names: readonly Name[],
): Readonly<Record<Name, boolean>> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'boolean' as const }]));
  try {
    const { values } = parseArgs({ args: [...args], options });
    // Every name is asked for just here, which the types can't follow through the entries.
    return Object.fromEntries(names.map((name) => [name, values[name] === true])) as Record<Name, boolean>;
  } catch (cause) {
    const known = names.map((name) => `--${name}`).join(', ');
    throw new StackError(`${cause instanceof Error ? cause.message : String(cause)} Known: ${known}.`, {
      cause,
    });
  }
}
