import { existsSync } from 'node:fs';
import { runChild } from '../checks/child-process.ts';

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
