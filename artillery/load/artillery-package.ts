import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { runChild } from '../../server/tools/checks/child-process.ts';
import { satisfies } from '../../server/tools/install/installed-packages.mjs';
import { ARTILLERY_FOLDER } from './scenario-file.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

const LOCK = join(ARTILLERY_FOLDER, 'package-lock.json');
/** npm's own account of what it installed. */
const ACCOUNT = join(ARTILLERY_FOLDER, 'node_modules', '.package-lock.json');
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
const packagesOf = (path: string): Parameters<typeof satisfies>[0] =>
  // An absent field and one that is undefined are the same to `satisfies`.
  lockFile.parse(JSON.parse(readFileSync(path, 'utf8'))).packages as Parameters<typeof satisfies>[0];

/** The program that runs scenarios. */
export const ARTILLERY_PROGRAM = join(ARTILLERY_FOLDER, 'node_modules', 'artillery', 'bin', 'run');

/** The version that the lock file asks for. */
export function artilleryVersion(): string {
  return packagesOf(LOCK)['node_modules/artillery']?.version ?? 'unknown';
}

/**
 * Installs Artillery in its own folder where that hasn't happened yet.
 * @throws TaskError with npm's words if it fails
 */
export async function installArtillery(say: (line: string) => void): Promise<void> {
  if (existsSync(ACCOUNT) && satisfies(packagesOf(LOCK), packagesOf(ACCOUNT))) return;
  say('Installing Artillery in artillery/ (once; half a gigabyte, a minute or two) …');
  const startedAt = performance.now();
  const seconds = (): string => `${Math.round((performance.now() - startedAt) / 1_000)} s`;
  const timer = setInterval(() => say(`Installing Artillery … ${seconds()}`), PROGRESS_INTERVAL_MS);
  const { command, first } = npmCommand();
  const args = [...first, 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await runChild(command, args, { cwd: ARTILLERY_FOLDER, output: 'keep' });
  clearInterval(timer);
  if (code !== 0) {
    const lines = output.trim().split('\n').slice(0, OUTPUT_LINES_SHOWN);
    throw new TaskError(`Artillery could not be installed; npm ci in artillery/ said: ${lines.join(' | ')}`);
  }
  say(`Artillery is installed after ${seconds()}.`);
}

/** The npm that called us if one did, else the one on the path. */
function npmCommand(): { readonly command: string; readonly first: readonly string[] } {
  const script = process.env['npm_execpath'];
  if (script && /npm-cli\.[cm]?js$/.test(script)) return { command: process.execPath, first: [script] };
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', first: [] };
}
