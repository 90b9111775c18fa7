/**
 * Whether node_modules is what package-lock.json asks for. npm leaves its own account of what it installed inside
 * the folder; comparing the two notices a pulled lock file and an interrupted installation, and stays content
 * after any `npm install` by hand.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout's folder. */
export const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** @typedef {Record<string, { version?: string, integrity?: string, optional?: boolean, link?: boolean }>} Packages */

/**
 * @param {Packages} wanted the `packages` of package-lock.json
 * @param {Packages} installed the `packages` of npm's account inside node_modules
 * @returns {boolean} whether every package is there in its version; what is optional may be missing, since most of
 *   that is for other platforms
 */
export function satisfies(wanted, installed) {
  return Object.entries(wanted).every(([path, { version, integrity, optional, link }]) => {
    if (!path.includes('node_modules/') || optional || link) return true;
    return installed[path]?.version === version && installed[path]?.integrity === integrity;
  });
}

/**
 * @param {string} file
 * @returns {Packages}
 */
const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

/** @returns {boolean} whether node_modules matches package-lock.json */
export function isInstalled() {
  const account = join(ROOT, 'node_modules', '.package-lock.json');
  return existsSync(account) && satisfies(packagesOf(join(ROOT, 'package-lock.json')), packagesOf(account));
}
