import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runChild, runGuarded } from '../checks/child-process.ts';
import { type Report, TaskError } from '../tasks/task.ts';

/** Servers are kept where an ordinary user's path doesn't lead. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/libexec'];

/** @returns the program's path, or undefined when this machine has none of that name */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SERVER_FOLDERS];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const APT_RETRIES = 3;
/** Another process may be installing something of its own. */
const LOCK_WAIT_SECONDS = 300;

/** `impossible`: no Debian or Ubuntu, or nobody with the right to install. */
export type DebianInstall =
  { readonly kind: 'installed' | 'impossible' } | { readonly kind: 'failed'; readonly output: string };

/** apt lets one at a time work; those of this process wait for each other here. */
let queue: Promise<unknown> = Promise.resolve();

/** Installs packages of the machine's own Debian or Ubuntu: as root, or in CI with a `sudo` that asks nothing. */
export function installDebianPackages(names: readonly string[]): Promise<DebianInstall> {
  const turn = queue.then(() => install(names));
  queue = turn;
  return turn;
}

async function install(names: readonly string[]): Promise<DebianInstall> {
  const prefix = existsSync('/usr/bin/apt-get') ? await rootPrefix() : undefined;
  if (prefix === undefined) return { kind: 'impossible' };
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', '--no-remove', ...names]]) {
    const [command = '', ...rest] = [
      ...prefix,
      'apt-get',
      '-qq',
      '-o',
      `Acquire::Retries=${APT_RETRIES}`,
      '-o',
      `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`,
      ...args,
    ];
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const { code, output } = await runChild(command, rest, { output: 'keep', env });
    if (code !== 0) return { kind: 'failed', output };
  }
  return { kind: 'installed' };
}

async function rootPrefix(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if (!process.env.CI) return undefined;
  const { code } = await runChild('sudo', ['-n', 'true'], { output: 'keep' });
  return code === 0 ? ['sudo', '-n'] : undefined;
}

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
