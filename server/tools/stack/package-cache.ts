import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from './native-process.ts';
import { TaskError } from '../tasks/task.ts';

/**
 * Downloads are kept per machine rather than per checkout, so that a fresh clone finds them. Root's are where every
 * user can read them: a database server that gives up root's rights goes on loading files from there.
 */
export function cacheFolder(): string {
  if (process.env.STAMPEDE_CACHE) return process.env.STAMPEDE_CACHE;
  if (process.getuid?.() === 0) return '/var/cache/stampede';
  const home = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return join(home, 'stampede');
}

/** Followed by the process that fills it. */
const DRAFT = 'new-';

/**
 * A folder of the cache, filled by `fill` the first time. It appears whole or not at all, so that neither a
 * download that was cut off nor two checkouts at once leave half of one.
 * @param name changes with whatever the content depends on
 */
export async function cachedFolder(
  name: string,
  fill: (folder: string) => Promise<void>,
  cache = cacheFolder(),
): Promise<string> {
  const folder = join(cache, name);
  if (existsSync(folder)) return folder;
  const draft = makeDraft(cache);
  try {
    const content = join(draft, 'content');
    mkdirSync(content);
    await fill(content);
    // Someone else may have been faster; theirs is as good.
    if (!existsSync(folder)) renameSync(content, folder);
    return folder;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

function makeDraft(cache: string): string {
  try {
    mkdirSync(cache, { recursive: true, mode: 0o755 });
    removeAbandonedDrafts(cache);
    return mkdtempSync(join(cache, `${DRAFT}${process.pid}-`));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TaskError(
      `Downloads can't be kept in ${cache}: ${reason}. Set STAMPEDE_CACHE to a folder of yours.`,
      { cause },
    );
  }
}

function removeAbandonedDrafts(cache: string): void {
  for (const name of readdirSync(cache)) {
    if (!name.startsWith(DRAFT) || isAlive(Number.parseInt(name.slice(DRAFT.length), 10))) continue;
    rmSync(join(cache, name), { recursive: true, force: true });
  }
}
