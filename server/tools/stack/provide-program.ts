import { runGuarded } from '../checks/child-process.ts';
import { installDebianPackages } from './debian-install.ts';
import { findProgram } from './find-program.ts';
import { type Report, TaskError } from '../tasks/task.ts';

/**
 * Finds a program, or installs it from the machine's own Debian where that is allowed.
 * @param debianPackage what brings it there
 * @throws TaskError that says what to install
 */
export async function provideProgram(name: string, debianPackage: string, report: Report): Promise<string> {
  const present = findProgram(name);
  if (present !== undefined) return present;
  report(`installing Debian's ${debianPackage}`);
  const result = await installDebianPackages([debianPackage]);
  const installed = findProgram(name);
  if (installed !== undefined) return installed;
  const advice = `Install ${name} (on Debian or Ubuntu, as root: apt-get install ${debianPackage}) and try again.`;
  if (result.kind === 'failed') {
    throw new TaskError(`${debianPackage} could not be installed:\n${result.output.trim()}\n${advice}`);
  }
  throw new TaskError(`This machine has no ${name}. ${advice}`);
}

/**
 * What a program says of its version: the first group of `pattern`.
 * @throws TaskError if it says nothing of the kind
 */
export async function versionOf(pattern: RegExp, program: string, args: readonly string[]): Promise<string> {
  const { output } = await runGuarded(program, args);
  const version = pattern.exec(output)?.[1];
  if (version !== undefined) return version;
  throw new TaskError(`${program} ${args.join(' ')} doesn't say its version: ${output.trim()}`);
}

/** `8.4.1` is 8. */
export const majorOf = (version: string): number => Number(version.split('.')[0]);
