import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { runChild } from '../../checks/child-process.ts';
import { installedVersion } from '../surroundings.ts';
import { TaskError } from '../../tasks/task.ts';

const FOLDER = import.meta.dirname;
const INSTALLED = `${FOLDER}/node_modules/.package-lock.json`;
const OUTPUT_LINES_SHOWN = 5;

/**
 * Installs what benchmarks are measured beside, once.
 * @throws TaskError where npm can't
 */
export async function installPeers(say: (message: string) => void): Promise<void> {
  if (isInstalled()) return;
  say('installing ws, Socket.IO, Colyseus and redlock (once)');
  const npm = process.env['npm_execpath'];
  const [command, first] = npm === undefined ? ['npm', []] : [process.execPath, [npm]];
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const { code, output } = await runChild(command, args, { cwd: FOLDER, output: 'keep' });
  if (code === 0) return;
  const reason = output.trim().split('\n').slice(0, OUTPUT_LINES_SHOWN).join(' ');
  throw new TaskError(`The peers could not be installed: ${reason}`);
}

/** Whether what the lock file asks for is there. */
function isInstalled(): boolean {
  if (!existsSync(INSTALLED)) return false;
  const wanted: unknown = JSON.parse(readFileSync(`${FOLDER}/package.json`, 'utf8'));
  const names = Object.entries((wanted as { dependencies: Record<string, string> }).dependencies);
  return names.every(([name, version]) => {
    const manifest = `${FOLDER}/node_modules/${name}/package.json`;
    return existsSync(manifest) && readFileSync(manifest, 'utf8').includes(`"version": "${version}"`);
  });
}

const requirePeer = createRequire(`${FOLDER}/package.json`);

/** A peer's module. Its types are not here before it is installed, so the caller says what it uses of it. */
export function loadPeer(name: string): unknown {
  return requirePeer(name);
}

/** A peer with its version. */
export const peerVersion = (name: string): string => installedVersion(name, FOLDER);
