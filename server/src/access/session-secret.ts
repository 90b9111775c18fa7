import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '../platform/config-error.ts';

const SECRET_BYTES = 32;
const SECRET_TEXT = new RegExp(`^[0-9a-f]{${2 * SECRET_BYTES}}$`);
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

/** Several at once, so that a secret can be replaced while the old one is still believed. */
type Secrets = [newest: Uint8Array, ...older: Uint8Array[]];

/** What secrets are for, and what goes with one that is replaced. */
const LOSSES = {
  session: 'buyers lose their sessions',
  payment: 'payments on their way are put aside',
} as const;
type SecretUse = keyof typeof LOSSES;

/**
 * The keys that sign sessions, or those that seal payments, the newest first: the setting (`SESSION_SECRET`,
 * `PAYMENT_SECRET`) if given, needed as soon as several nodes serve the same buyers; else one that is made once and
 * kept in the data folder, readable by its owner only, so that sessions survive a restart [P4]. Throws `ConfigError`
 * naming `DATA_DIR` if the folder can't be used or the file isn't ours.
 */
export async function secretsFor(
  use: SecretUse,
  setting: readonly string[],
  dataDir: string,
): Promise<Secrets> {
  const [newest, ...older] = setting.map((secret) => Buffer.from(secret, 'utf8'));
  if (newest) return [newest, ...older];
  const path = join(dataDir, `${use}-secret`);
  try {
    await mkdir(dataDir, { recursive: true });
    return [(await readSecret(path, use)) ?? (await makeSecret(path, use))];
  } catch (error) {
    if (error instanceof ConfigError || !isSystemError(error)) throw error;
    const given = `${dataDir} can't be used for the ${use} secret (${error.code}: ${error.message})`;
    throw new ConfigError([{ name: 'DATA_DIR', given, allowed: 'a folder this user can read and write' }], {
      cause: error,
    });
  }
}

async function readSecret(path: string, use: SecretUse): Promise<Uint8Array | null> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    throw error;
  }
  if (!SECRET_TEXT.test(text)) {
    const given = `${path} does not hold a ${use} secret`;
    const allowed = `${2 * SECRET_BYTES} hex digits; remove the file to have a new one made (${LOSSES[use]})`;
    throw new ConfigError([{ name: 'DATA_DIR', given, allowed }]);
  }
  if (((await stat(path)).mode & OTHERS) !== 0) await chmod(path, OWNER_ONLY);
  return Buffer.from(text, 'hex');
}

/** Writes aside and links into place, so that of several processes starting at once all use the same secret, whole. */
async function makeSecret(path: string, use: SecretUse): Promise<Uint8Array> {
  const secret = randomBytes(SECRET_BYTES);
  const aside = `${path}.${process.pid}.${secret.toString('hex', 0, 4)}`;
  try {
    await writeFile(aside, secret.toString('hex'), { mode: OWNER_ONLY, flag: 'wx', flush: true });
    await link(aside, path);
    return secret;
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'EEXIST') throw error;
    const theirs = await readSecret(path, use);
    if (!theirs) throw error;
    return theirs;
  } finally {
    await rm(aside, { force: true });
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException & { readonly code: string } {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
