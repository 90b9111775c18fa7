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

interface SecretUse {
  readonly name: string;
  /** What goes with a secret that is replaced. */
  readonly loss: string;
}

const SESSIONS: SecretUse = { name: 'session', loss: 'buyers lose their sessions' };
const PAYMENTS: SecretUse = { name: 'payment', loss: 'payments on their way are put aside' };

/**
 * The keys of sessions, the one that signs first: the `SESSION_SECRET` setting if given (needed as soon as several
 * nodes serve the same buyers), else one that is made once and kept in the data folder, readable by its owner only,
 * so that sessions survive a restart [P4]. Throws `ConfigError` naming `DATA_DIR` if the folder can't be used or the
 * file isn't ours.
 */
export function sessionSecrets(setting: readonly string[], dataDir: string): Promise<Secrets> {
  return secretsOf(setting, dataDir, SESSIONS);
}

/** The keys that seal payments, in the same way: `PAYMENT_SECRET`, or one in the data folder. */
export function paymentSecrets(setting: readonly string[], dataDir: string): Promise<Secrets> {
  return secretsOf(setting, dataDir, PAYMENTS);
}

async function secretsOf(setting: readonly string[], dataDir: string, use: SecretUse): Promise<Secrets> {
  const [newest, ...older] = setting.map((secret) => Buffer.from(secret, 'utf8'));
  if (newest) return [newest, ...older];
  const path = join(dataDir, `${use.name}-secret`);
  try {
    await mkdir(dataDir, { recursive: true });
    return [(await readSecret(path, use)) ?? (await makeSecret(path, use))];
  } catch (error) {
    if (error instanceof ConfigError || !isSystemError(error)) throw error;
    const given = `${dataDir} can't be used for the ${use.name} secret (${error.code}: ${error.message})`;
    throw new ConfigError([{ name: 'DATA_DIR', given, allowed: 'a folder this user can read and write' }], {
      cause: error,
    });
  }
}

async function readSecret(path: string, { name, loss }: SecretUse): Promise<Uint8Array | null> {
  let text: string;
  try {
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    if (isSystemError(error) && error.code === 'ENOENT') return null;
    throw error;
  }
  if (!SECRET_TEXT.test(text)) {
    const given = `${path} does not hold a ${name} secret`;
    const allowed = `${2 * SECRET_BYTES} hex digits; remove the file to have a new one made (${loss})`;
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
