import { existsSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import type { Benchmark, Findings } from '../benchmark.ts';
import { installedVersion } from '../surroundings.ts';
import { ROOT } from '../../checks/child-process.ts';
import { buildClient } from '../../client-build/build-client.ts';
import { TaskError } from '../../tasks/task.ts';

const TARGET_KB = 100;
const BYTES_PER_KB = 1_000;
const GZIP_LEVEL = 9;
const FILES_LISTED = 8;

const CLIENT = `${ROOT}/client`;
const MANIFEST = `${CLIENT}/.svelte-kit/output/client/.vite/manifest.json`;
/** What the page of a show is made from, as the generated module of its route names it. */
const SHOW_PAGE = 'routes/shows/[id]/+page.svelte';
const ROUTE_MODULE = /\/nodes\/\d+\.js$/;
/** The frame of all pages, and the page for what goes wrong, which SvelteKit fetches with each. */
const SHARED_MODULES = /\/nodes\/[01]\.js$/;
const DICTIONARY = /\/lib\/i18n\//;
/** What a buyer at the map has not fetched yet: seats as a list, paying, the code on a ticket, a page for a broken page. */
const ONLY_LATER = /SeatList\.svelte$|payment-steps\.ts$|qr-path\.ts$|error-template\.js$/;
/** A script of the page itself, which the builder does not see. */
const PLAIN_SCRIPTS = ['language.js'];
const FRAMEWORK_ENTRY = /\/runtime\/client\/[\w-]+\.js$|\/client-optimized\/app\.js$/;

const manifestShape = z.record(
  z.string(),
  z.object({
    file: z.string(),
    name: z.string().optional(),
    imports: z.array(z.string()).default([]),
    dynamicImports: z.array(z.string()).default([]),
  }),
);
type Manifest = z.infer<typeof manifestShape>;

/** The files that are fetched with `roots`, if of what is imported when it is needed only `isNeeded` is. */
function loadedWith(
  manifest: Manifest,
  roots: readonly string[],
  isNeeded: (module: string) => boolean,
): ReadonlySet<string> {
  const loaded = new Set<string>();
  const waiting = [...roots];
  for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
    const entry = manifest[key];
    if (!entry || loaded.has(entry.file)) continue;
    loaded.add(entry.file);
    // The modules of other routes are loaded when their pages are: only roots among them count.
    const needed = entry.dynamicImports.filter((one) => !ROUTE_MODULE.test(one) && isNeeded(one));
    waiting.push(...entry.imports, ...needed);
  }
  return loaded;
}

function compressedBytes(file: string): number {
  return gzipSync(readFileSync(`${CLIENT}/build/${file}`), { level: GZIP_LEVEL }).length;
}

function total(files: ReadonlySet<string>): number {
  return [...files]
    .filter((file) => file.endsWith('.js'))
    .reduce((sum, file) => sum + compressedBytes(file), 0);
}

function rootsOf(manifest: Manifest): readonly string[] {
  const modules = Object.keys(manifest);
  const page = modules.find((key) => {
    const path = `${CLIENT}/${key}`;
    return ROUTE_MODULE.test(key) && existsSync(path) && readFileSync(path, 'utf8').includes(SHOW_PAGE);
  });
  if (page === undefined) {
    throw new TaskError('bundle: the build has no page of a show; build the client anew (npm start does).');
  }
  return [...modules.filter((key) => FRAMEWORK_ENTRY.test(key) || SHARED_MODULES.test(key)), page];
}

async function measure(): Promise<Findings> {
  if ((await buildClient()) === 'failed') throw new TaskError('bundle: the client could not be built.');
  if (!existsSync(MANIFEST))
    throw new TaskError(`bundle: the build left no list of its files (${MANIFEST}).`);
  const manifest = manifestShape.parse(JSON.parse(readFileSync(MANIFEST, 'utf8')));
  const roots = rootsOf(manifest);
  const isWord = (module: string) => DICTIONARY.test(module);
  const inEnglish = loadedWith(manifest, roots, (module) => !isWord(module) && !ONLY_LATER.test(module));
  const everything = loadedWith(manifest, roots, (module) => !isWord(module));
  const dictionaries = Object.keys(manifest).filter(isWord);
  const wordsOf = (key: string) => compressedBytes(manifest[key]?.file ?? '') / BYTES_PER_KB;
  const words = Math.max(0, ...dictionaries.map(wordsOf));
  const englishWords = Math.max(0, ...dictionaries.filter((key) => key.endsWith('/en.ts')).map(wordsOf));
  const plain = PLAIN_SCRIPTS.reduce((sum, file) => sum + compressedBytes(file), 0);
  const wordless = (total(inEnglish) + plain) / BYTES_PER_KB;
  const value = wordless + words;
  const later = (total(everything) - total(inEnglish)) / BYTES_PER_KB;
  const names = new Map(Object.values(manifest).map(({ file, name = file }) => [file, name]));
  return {
    unit: 'kB',
    runs: [{ value, yardstick: null }],
    reached: value <= TARGET_KB,
    remarks: [
      'Every script that a browser fetches from an empty cache until the buyer can choose seats, in the language that ' +
        `costs most; ${(wordless + englishWords).toFixed(1)} kB in English. The list, paying and the ticket are ${later.toFixed(1)} kB more, ` +
        'fetched when they are wanted. Each file for itself, gzip -9, as it is served. Counted, not timed: one run says it all.',
    ],
    tables: [
      {
        title: 'The largest parts in English, kB after gzip',
        columns: ['part', 'kB'],
        rows: [...inEnglish]
          .filter((file) => file.endsWith('.js'))
          .map((file) => [names.get(file) ?? file, compressedBytes(file) / BYTES_PER_KB] as const)
          .toSorted((a, b) => b[1] - a[1])
          .slice(0, FILES_LISTED),
      },
    ],
    versions: [installedVersion('svelte'), installedVersion('@sveltejs/kit')],
  };
}

export const bundle: Benchmark = {
  name: 'bundle',
  what: 'JavaScript of the show page until a buyer can choose seats, after gzip',
  target: `≤ ${TARGET_KB} kB`,
  measure,
};
