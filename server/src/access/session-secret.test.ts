import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../platform/config-error.ts';
import { secretsFor } from './session-secret.ts';

describe('the secrets of sessions', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'stampede-secret-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('are the setting, where there is one, and nothing is written', async () => {
    const secrets = await secretsFor('session', ['newest', 'older'], folder);
    expect(secrets.map((secret) => Buffer.from(secret).toString())).toEqual(['newest', 'older']);
    expect(await readdir(folder)).toEqual([]);
  });

  it('[P4] one is made once, for its owner only, and found again', async () => {
    const dataDir = join(folder, 'new', 'data');
    const made = await secretsFor('session', [], dataDir);
    expect(made.map((secret) => secret.length)).toEqual([32]);
    expect(await secretsFor('session', [], dataDir)).toEqual(made);
    expect(await readdir(dataDir)).toEqual(['session-secret']);
    expect((await stat(join(dataDir, 'session-secret'))).mode & 0o777).toBe(0o600);
  });

  it('one is made, and the same, for processes that start together', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => secretsFor('session', [], folder)));
    expect(new Set(all.map(([secret]) => Buffer.from(secret).toString('hex'))).size).toBe(1);
    expect(await readdir(folder)).toEqual(['session-secret']);
  });

  it('one that was found open is closed to others', async () => {
    await secretsFor('session', [], folder);
    await chmod(join(folder, 'session-secret'), 0o644);
    await secretsFor('session', [], folder);
    expect((await stat(join(folder, 'session-secret'))).mode & 0o777).toBe(0o600);
  });

  it('a file that holds something else is refused, not replaced', async () => {
    await writeFile(join(folder, 'session-secret'), 'half a secr');
    await expect(secretsFor('session', [], folder)).rejects.toThrow(
      /DATA_DIR: .*does not hold a session secret/,
    );
  });

  it('names DATA_DIR when it finds a file where the folder should be', async () => {
    const dataDir = join(folder, 'file');
    await writeFile(dataDir, '');
    await expectUnusable(dataDir, 'EEXIST');
  });

  it('names DATA_DIR when it finds a folder where the file should be', async () => {
    await mkdir(join(folder, 'session-secret'));
    await expectUnusable(folder, 'EISDIR');
  });
});

async function expectUnusable(dataDir: string, code: string): Promise<void> {
  const failure = secretsFor('session', [], dataDir);
  await expect(failure).rejects.toBeInstanceOf(ConfigError);
  await expect(failure).rejects.toThrow(`(${code}`);
  await expect(failure).rejects.toThrow(/DATA_DIR: .* a folder this user can read and write/);
}
