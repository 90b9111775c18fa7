/**
 * uWebSockets.js ships a binary linked against glibc 2.38 for the sake of three number-parsing functions. On
 * Linux with an older C library a repaired copy takes its place; the file as published stays beside it. Only a
 * binary whose SHA-256 is known is ever touched.
 */
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withoutVersion } from './elf-versions.mjs';

/** From this version on the published binary loads as it is. */
export const GLIBC_NEEDS_NO_REPAIR = '2.38';
/** Below this version other symbols are missing too (`arc4random`), and no renaming brings them back. */
export const GLIBC_MIN = '2.36';
/** Node 24's number for its binary interface; the tasks always run on Node 24. */
const NODE_ABI = '137';

/**
 * Binaries of @btc-vision/uwebsockets.js 20.57.0. A new version of the package means new hashes here, taken
 * after looking at what its binary asks for (`readelf --version-info`).
 *
 * @type {Readonly<Record<string, { original: string, repaired: string, baseVersion: string }>>}
 */
const KNOWN_BINARIES = {
  x64: {
    original: '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
    repaired: '337e7312c83b0df8accbe2446055c1e663ef14824712a055dfb8c34852cd8d69',
    baseVersion: 'GLIBC_2.2.5',
  },
  arm64: {
    original: '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce',
    repaired: 'c52f98e37763f821adfd7a24445de06c5941db0bb99b92fd2ac06d5f65cd50f8',
    baseVersion: 'GLIBC_2.17',
  },
};

/** @typedef {'not-needed' | 'already-repaired' | 'repaired'} RepairOutcome */

/** The binary can't be made to load here; the message says why, for the person installing. */
export class UwsBinaryError extends Error {}

/** @returns {string | undefined} the version of the C library this process runs on; undefined where it isn't glibc */
export function runningGlibc() {
  if (process.platform !== 'linux') return undefined;
  // The report is typed as a plain object; its header has carried this field since Node 12.
  const report = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  return report.header.glibcVersionRuntime;
}

/**
 * @param {string} a `major.minor`
 * @param {string} b `major.minor`
 */
export function isOlder(a, b) {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor < bMajor || (aMajor === bMajor && aMinor < bMinor);
}

const sha256 = (/** @type {Buffer} */ bytes) => createHash('sha256').update(bytes).digest('hex');

/**
 * Makes the binary loadable on this machine. Running it again changes nothing.
 *
 * @param {{ packageFolder: string, arch?: string, glibc?: string | undefined }} where
 *   `packageFolder` holds the binaries; `arch` and `glibc` default to this machine's
 *   (an explicit undefined means another C library, or none)
 * @returns {RepairOutcome}
 * @throws {UwsBinaryError} when the binary is not a known one, or the C library is too old for any repair
 */
export function repairUwsBinary({ packageFolder, ...machine }) {
  const { arch, glibc } = { arch: process.arch, glibc: runningGlibc(), ...machine };
  if (glibc === undefined || !isOlder(glibc, GLIBC_NEEDS_NO_REPAIR)) return 'not-needed';
  if (isOlder(glibc, GLIBC_MIN)) {
    throw new UwsBinaryError(`uWebSockets.js needs glibc ${GLIBC_MIN} or newer; this machine has ${glibc}.`);
  }
  const known = KNOWN_BINARIES[arch];
  if (!known) throw new UwsBinaryError(`There is no uWebSockets.js binary for Linux on ${arch}.`);

  const binary = join(packageFolder, `uws_linux_${arch}_${NODE_ABI}.node`);
  if (!existsSync(binary))
    throw new UwsBinaryError(`${binary} is missing: the package is not fully installed.`);
  const bytes = readFileSync(binary);
  const hash = sha256(bytes);
  if (hash === known.repaired) return 'already-repaired';
  if (hash !== known.original) {
    throw new UwsBinaryError(
      `${binary} is not a binary we know (SHA-256 ${hash}), so it is left alone; it needs glibc ` +
        `${GLIBC_NEEDS_NO_REPAIR} and this machine has ${glibc}.`,
    );
  }

  const repaired = withoutVersion(bytes, {
    library: 'libc.so.6',
    version: `GLIBC_${GLIBC_NEEDS_NO_REPAIR}`,
    baseVersion: known.baseVersion,
    prefix: '__isoc23_',
  });
  if (sha256(repaired) !== known.repaired) {
    throw new UwsBinaryError(`The repair of ${binary} did not give the expected bytes; nothing was changed.`);
  }
  copyFileSync(binary, `${binary}.original`);
  // A rename is atomic: a process starting meanwhile loads the old file or the new one, never half of one.
  const draft = `${binary}.${process.pid}.draft`;
  writeFileSync(draft, repaired, { mode: 0o755 });
  renameSync(draft, binary);
  return 'repaired';
}
