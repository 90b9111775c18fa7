import { createRequire } from 'node:module';
import { installFolder } from '../../tasks/install-folder.ts';
import type { Report } from '../../tasks/task.ts';
import { installedVersion } from '../surroundings.ts';

const FOLDER = import.meta.dirname;

/** Installs what benchmarks are measured beside, once. */
export const installPeers = (say: Report): Promise<void> =>
  installFolder(FOLDER, 'ws, Socket.IO, Colyseus and redlock', say);

const requirePeer = createRequire(`${FOLDER}/package.json`);

/** A peer's module. Its types are not here before it is installed, so the caller says what it uses of it. */
export function loadPeer(name: string): unknown {
  return requirePeer(name);
}

/** A peer with its version. */
export const peerVersion = (name: string): string => installedVersion(name, FOLDER);
