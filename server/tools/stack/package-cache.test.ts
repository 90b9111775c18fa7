import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { cachedFolder } from './package-cache.ts';

/** Beyond what systems number their processes to. */
const DEAD_PROCESS = 2 ** 30;

let cache = '';
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'stampede-cache-'));
});
afterEach(() => rmSync(cache, { recursive: true, force: true }));

const fillWith = (text: string) => async (folder: string) => writeFileSync(join(folder, 'file'), text);

it('fills a folder once and hands it out from then on', async () => {
  const folder = await cachedFolder('tool-1', fillWith('first'), cache);
  expect(await cachedFolder('tool-1', fillWith('second'), cache)).toBe(folder);
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('first');
  expect(readdirSync(cache)).toEqual(['tool-1']);
});

it('leaves nothing of a download that failed, so that the next one starts over', async () => {
  const broken = async (folder: string): Promise<void> => {
    await fillWith('half')(folder);
    throw new Error('the line went dead');
  };
  await expect(cachedFolder('tool-1', broken, cache)).rejects.toThrow('the line went dead');
  expect(readdirSync(cache)).toEqual([]);
});

it('two that fill it at once both get one whole folder', async () => {
  const folders = await Promise.all(['a', 'b'].map((text) => cachedFolder('tool-1', fillWith(text), cache)));
  expect(new Set(folders).size).toBe(1);
  expect(readdirSync(cache)).toEqual(['tool-1']);
});

it('removes what a killed download left, and nothing of one under way', async () => {
  mkdirSync(join(cache, `new-${DEAD_PROCESS}-x`));
  mkdirSync(join(cache, `new-${process.pid}-y`));
  await cachedFolder('tool-1', fillWith('first'), cache);
  expect(readdirSync(cache).sort()).toEqual([`new-${process.pid}-y`, 'tool-1']);
});

it('names the setting when the cache cannot be written', async () => {
  writeFileSync(join(cache, 'file'), '');
  const filled = cachedFolder('tool-1', fillWith('first'), join(cache, 'file', 'inside'));
  await expect(filled).rejects.toThrow(/Downloads can't be kept in .*Set STAMPEDE_CACHE/);
});
