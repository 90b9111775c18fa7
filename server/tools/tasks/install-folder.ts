import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runChild } from '../checks/child-process.ts';
import { satisfies } from '../install/installed-packages.mjs';
import { type Report, TaskError } from './task.ts';

/** Silence longer than this looks like a hang. */
const PROGRESS_INTERVAL_MS = 10_000;
const OUTPUT_LINES_SHOWN = 10;

const lockFile = z.object({
  packages: z.record(
    z.string(),
    z.object({
      version: z.string().optional(),
      integrity: z.string().optional(),
      optional: z.boolean().optional(),
      link: z.boolean().optional(),
    }),
  ),
});
/** The `packages` of a lock file, or of npm's own account of what it installed. */
export const packagesOf = (path: string): Parameters<typeof satisfies>[0] =>
  // An absent field and one that is undefined are the same to `satisfies`.
  lockFile.parse(JSON.parse(readFileSync(path, 'utf8'))).packages as Parameters<typeof satisfies>[0];

/**
 * Installs what a folder's own lock file asks for where that hasn't happened yet.
 * @param what for the one who waits: what is installed, and where
 * @throws TaskError with npm's words if it fails
 */
export async function installFolder(folder: string, what: string, say: Report): Promise<void> {
  const account = join(folder, 'node_modules', '.package-lock.json');
  const lock = join(folder, 'package-lock.json');
  if (existsSync(account) && satisfies(packagesOf(lock), packagesOf(account))) return;
  say(`Installing ${what} (once; a minute or two) …`);
  const startedAt = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - startedAt) / 1_000)} s`;
  const timer = setInterval(() => say(`Installing ${what} … ${seconds()}`), PROGRESS_INTERVAL_MS);
  const { code, output } = await runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], folder);
  clearInterval(timer);
  if (code !== 0) {
    const lines = output.trim().split('\n').slice(0, OUTPUT_LINES_SHOWN);
    throw new TaskError(`${what} could not be installed; npm ci said: ${lines.join(' | ')}`);
  }
  say(`Installing ${what}: done after ${seconds()}.`);
}

/** Runs the npm that called us if one did, else the one on the path. */
export function runNpm(args: readonly string[], cwd?: string): ReturnType<typeof runChild> {
  const script = process.env['npm_execpath'];
  const isOurs = script !== undefined && /npm-cli\.[cm]?js$/.test(script);
  const onPath = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const [command, first] = isOurs ? [process.execPath, [script]] : [onPath, []];
  return runChild(command, [...first, ...args], { output: 'keep', ...(cwd !== undefined && { cwd }) });
}
