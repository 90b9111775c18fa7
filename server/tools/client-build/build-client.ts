import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { ROOT } from '../checks/child-process.ts';
import { runNpm } from '../tasks/install-folder.ts';

/** What the built client is made of; a folder stands for everything under it. */
const SOURCES = ['client', 'shared/src', 'shared/package.json', 'package-lock.json'];
/** Made by installing or building, so never a reason to build again. */
const MADE_FOLDERS = new Set(['node_modules', 'build', '.svelte-kit', 'test']);
const RESULT = `${ROOT}/client/build`;
/** Beside the other caches rather than in the build, which is served to everyone. */
const FINGERPRINT = `${ROOT}/node_modules/.cache/stampede/client-sources`;

export type BuildOutcome = 'no-client' | 'up-to-date' | 'built' | 'failed';

function* sourceFiles(path: string): Generator<string> {
  if (!existsSync(`${ROOT}/${path}`)) return;
  const entries = readdirSync(`${ROOT}/${path}`, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (MADE_FOLDERS.has(entry.name)) continue;
    if (entry.isDirectory()) yield* sourceFiles(`${path}/${entry.name}`);
    else if (!entry.name.endsWith('.test.ts')) yield `${path}/${entry.name}`;
  }
}

/** Contents rather than dates: a fresh checkout has new dates and the same client. */
function sourceFingerprint(): string {
  const hash = createHash('sha256');
  for (const source of SOURCES) {
    const files = /\.\w+$/.test(source) ? [source] : sourceFiles(source);
    for (const file of files)
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(`${ROOT}/${file}`));
  }
  return hash.digest('hex');
}

function isUpToDate(fingerprint: string): boolean {
  if (!existsSync(RESULT) || !existsSync(FINGERPRINT)) return false;
  return readFileSync(FINGERPRINT, 'utf8') === fingerprint;
}

/**
 * Builds the client when its sources changed since the last build, and says so on standard error. A failed build
 * prints what the builder said.
 */
export async function buildClient(): Promise<BuildOutcome> {
  if (!existsSync(`${ROOT}/client/src`)) return 'no-client';
  const fingerprint = sourceFingerprint();
  if (isUpToDate(fingerprint)) return 'up-to-date';

  process.stderr.write('Building the client …\n');
  const { code, output, seconds } = await runNpm(['run', 'build', '--workspace=client']);
  if (code !== 0) {
    process.stderr.write(`${output}\nBuilding the client: failed after ${seconds.toFixed(0)} s.\n`);
    return 'failed';
  }
  mkdirSync(dirname(FINGERPRINT), { recursive: true });
  writeFileSync(FINGERPRINT, fingerprint);
  process.stderr.write(`Building the client: done after ${seconds.toFixed(0)} s.\n`);
  return 'built';
}
