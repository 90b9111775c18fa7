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
 * Binaries of @btc-vision/uwebsockets.js 20.57.0 by platform and processor; `repaired` where an older C library may
 * be met. A new version of the package means new hashes here, taken after looking at what its binary asks for
 * (`readelf --version-info`).
 *
 * @type {Readonly<Record<string, { original: string, repaired?: { hash: string, baseVersion: string } }>>}
 */
const KNOWN_BINARIES = {
  linux_x64: {
    original: '98128405dba2fb608448e921a979530f70c946a2cc9889c15f2fa70c2d00ab05',
    repaired: {
      hash: '337e7312c83b0df8accbe2446055c1e663ef14824712a055dfb8c34852cd8d69',
      baseVersion: 'GLIBC_2.2.5',
    },
  },
  linux_arm64: {
    original: '88618b30ddf6b2b62310db89f40a701616676352aac5e0f6184dd8ef876199ce',
    repaired: {
      hash: 'c52f98e37763f821adfd7a24445de06c5941db0bb99b92fd2ac06d5f65cd50f8',
      baseVersion: 'GLIBC_2.17',
    },
  },
  darwin_x64: { original: '98fd7e9456e2d37d3262b05b053d673830927f91c63c0c2ae73bde8d19eef293' },
  darwin_arm64: { original: '2187391c702fa7ad3bf685eff7712c15cf24fa7cf324a131dfcbae3fd0f20a9a' },
  win32_x64: { original: '84ae72d2149e6ffa2a44063344073599027b1ce8bffaab3957903f966b0c6bb9' },
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
 * Makes sure that the binary which this machine would load is one we know, and that it loads here. Running it again
 * changes nothing.
 *
 * @param {{ packageFolder: string, platform?: string, arch?: string, glibc?: string | undefined }} where
 *   `packageFolder` holds the binaries; the others default to this machine's (an explicit undefined `glibc` means
 *   another C library, or none)
 * @returns {RepairOutcome}
 * @throws {UwsBinaryError} when the binary is not a known one, or the C library is too old for any repair
 */
export function repairUwsBinary({ packageFolder, ...machine }) {
  const { platform, arch, glibc } = {
    platform: process.platform,
    arch: process.arch,
    glibc: runningGlibc(),
    ...machine,
  };
  const known = KNOWN_BINARIES[`${platform}_${arch}`];
  if (!known) throw new UwsBinaryError(`There is no uWebSockets.js binary for ${platform} on ${arch}.`);
  const binary = join(packageFolder, `uws_${platform}_${arch}_${NODE_ABI}.node`);
  if (!existsSync(binary))
    throw new UwsBinaryError(`${binary} is missing: the package is not fully installed.`);
  const bytes = readFileSync(binary);
  const hash = sha256(bytes);
  const { original, repaired } = known;
  if (hash !== original && hash !== repaired?.hash) {
    throw new UwsBinaryError(
      `${binary} is not a binary we know (SHA-256 ${hash}), so it is neither loaded nor changed. ` +
        'Remove node_modules and install again; if it comes back, somebody has changed the package.',
    );
  }
  if (hash === repaired?.hash) return 'already-repaired';
  if (!repaired || glibc === undefined || !isOlder(glibc, GLIBC_NEEDS_NO_REPAIR)) return 'not-needed';
  if (isOlder(glibc, GLIBC_MIN)) {
    throw new UwsBinaryError(`uWebSockets.js needs glibc ${GLIBC_MIN} or newer; this machine has ${glibc}.`);
  }
  repair(binary, bytes, repaired);
  return 'repaired';
}

/**
 * @param {string} binary
 * @param {Buffer} bytes
 * @param {{ hash: string, baseVersion: string }} expected
 */
function repair(binary, bytes, { hash, baseVersion }) {
  const repaired = withoutVersion(bytes, {
    library: 'libc.so.6',
    version: `GLIBC_${GLIBC_NEEDS_NO_REPAIR}`,
    baseVersion,
    prefix: '__isoc23_',
  });
  if (sha256(repaired) !== hash) {
    throw new UwsBinaryError(`The repair of ${binary} did not give the expected bytes; nothing was changed.`);
  }
  copyFileSync(binary, `${binary}.original`);
  // A rename is atomic: a process starting meanwhile loads the old file or the new one, never half of one.
  const draft = `${binary}.${process.pid}.draft`;
  writeFileSync(draft, repaired, { mode: 0o755 });
  renameSync(draft, binary);
}
