import { chownSync } from 'node:fs';
import { spawnSync } from 'node:child_process';

/** Whom a database server becomes when root starts it. */
export interface ServerAccount {
  readonly name: string;
  own(path: string): void;
}

const UNPRIVILEGED = ['mysql', 'nobody'];
const CAN_ENTER_ALL = 'for folder; do test -x "$folder" || exit 1; done';

/**
 * A database server refuses root's rights unless told by name which account to take. An unprivileged one where it
 * may enter all of `folders`; root itself where it may not, as in a checkout inside root's home.
 * @returns undefined when we aren't root and there is nothing to give up
 */
export function chooseServerAccount(folders: readonly string[]): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of UNPRIVILEGED) {
    const uid = numericId('-u', name);
    const gid = numericId('-g', name);
    if (uid === undefined || gid === undefined) continue;
    const { status } = spawnSync('/bin/sh', ['-c', CAN_ENTER_ALL, 'sh', ...folders], { uid, gid, cwd: '/' });
    if (status === 0) return { name, own: (path) => chownSync(path, uid, gid) };
  }
  return { name: 'root', own: () => undefined };
}

function numericId(which: '-u' | '-g', account: string): number | undefined {
  const { status, stdout } = spawnSync('id', [which, account], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}
