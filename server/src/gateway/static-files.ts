import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { lookup } from 'mrmime';
import { type HttpExchange, NOT_KEPT, type ResponseHeaders } from './http-exchange.ts';
import { HttpRefusal, nothingHere } from './http-refusal.ts';
import { type Coding, etagOf, type Representation } from './http-representation.ts';
import { pagePolicy, WORKER_POLICY } from './http-security.ts';

/** What adapter-static writes compressed variants as, beside the file itself. */
const VARIANT_ENDINGS: Readonly<Record<Coding, string>> = { br: '.br', gzip: '.gz' };
const FALLBACK_PAGES = ['200.html', 'index.html'];
/** The client's pages; those of shows have no file of their own, because they are made of what the path names. */
const CLIENT_PATHS = /^\/(tickets|shows\/(?<show>[^/]+))?\/?$/;
/** Names below it contain a hash of their content. */
const HASHED_FOLDER = '/_app/immutable/';
const SERVICE_WORKER = '/service-worker.js';
const CACHED_FOREVER = 'public, max-age=31536000, immutable';
const CACHED_TO_ASK_FIRST = 'no-cache';

const NOT_BUILT = `<!doctype html><meta charset="utf-8"><title>Stampede</title>
<h1>The client is not built</h1>
<p>The server runs, but there are no pages to show. Start it with <code>npm start</code>, which builds them.</p>
`;

interface StaticFile {
  readonly representation: Representation;
  readonly headers: ResponseHeaders;
}

/**
 * The built client, held in memory by the paths it is asked for. A path that is not in the table does not exist:
 * nothing of a request ever reaches the file system, so there is nothing to climb out of.
 */
export class StaticFiles {
  readonly #files: ReadonlyMap<string, StaticFile>;
  readonly #fallback: StaticFile | undefined;

  /** `files`: contents by path within the build, with `/` between folders. */
  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#files = tableOf(files);
    this.#fallback = FALLBACK_PAGES.map((name) => this.#files.get(`/${name}`)).find((file) => file);
  }

  /**
   * Answers a GET or HEAD with the file, or with the client's own page for paths that it resolves in the browser.
   * What looks like a file and isn't there is missing: a browser must not take a page for a script. `hasShow` tells
   * whether there is a show of the number that a path names.
   */
  serve(exchange: HttpExchange, hasShow: (number: string) => boolean): void {
    const path = decodedPath(exchange.path);
    const file = path === null ? undefined : (this.#files.get(path) ?? this.#pageFor(path));
    if (file) {
      exchange.represent(file.representation, file.headers);
    } else if (path === null || !isPagePath(path)) {
      throw nothingHere();
    } else if (this.#fallback) {
      // The client words its own "not found"; what it says and what the status says must agree.
      const page = CLIENT_PATHS.exec(path);
      const show = page?.groups?.['show'];
      const status = page && (show === undefined || hasShow(show)) ? 200 : 404;
      exchange.represent(this.#fallback.representation, this.#fallback.headers, status);
    } else {
      this.#refuseUnbuilt(exchange);
    }
  }

  #pageFor(path: string): StaticFile | undefined {
    if (!isPagePath(path)) return undefined;
    const bare = path.replace(/\/$/, '');
    return this.#files.get(`${bare}.html`) ?? this.#files.get(`${bare}/index.html`);
  }

  #refuseUnbuilt(exchange: HttpExchange): void {
    if (!exchange.headers.accept.includes('text/html')) {
      throw new HttpRefusal(503, 'client-not-built', 'The client is not built; npm start builds it.');
    }
    exchange.answer(503, { 'Content-Type': 'text/html; charset=utf-8', ...NOT_KEPT }, Buffer.from(NOT_BUILT));
  }
}

/**
 * Reads a whole build: contents by path, with `/` between folders. A folder that doesn't exist is an empty build.
 * Rejects if it can't be read.
 */
export async function readBuild(folder: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const files = new Map<string, Uint8Array>();
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).split(sep).join('/'), await readFile(path));
  }
  return files;
}

function decodedPath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

/** Pages have no ending, and the build's own folder has no pages. */
function isPagePath(path: string): boolean {
  return !path.startsWith('/_app/') && !path.slice(path.lastIndexOf('/')).includes('.');
}

function tableOf(files: ReadonlyMap<string, Uint8Array>): Map<string, StaticFile> {
  const table = new Map<string, StaticFile>();
  for (const [name, plain] of files) {
    if (isVariant(name, files)) continue;
    const path = `/${name}`;
    const type = lookup(name) ?? 'application/octet-stream';
    const isText = /^text\/|[/+](json|javascript|xml)$/.test(type);
    const representation: Representation = {
      type: isText ? `${type}; charset=utf-8` : type,
      etag: etagOf(plain),
      plain,
      coded: (coding) => files.get(name + VARIANT_ENDINGS[coding]),
    };
    table.set(path, { representation, headers: headersOf(path, type, plain) });
  }
  return table;
}

function isVariant(name: string, files: ReadonlyMap<string, Uint8Array>): boolean {
  return Object.values(VARIANT_ENDINGS).some(
    (ending) => name.endsWith(ending) && files.has(name.slice(0, -ending.length)),
  );
}

function headersOf(path: string, type: string, plain: Uint8Array): ResponseHeaders {
  const caching = path.startsWith(HASHED_FOLDER) ? CACHED_FOREVER : CACHED_TO_ASK_FIRST;
  if (path === SERVICE_WORKER) return { 'Cache-Control': caching, 'Content-Security-Policy': WORKER_POLICY };
  if (type !== 'text/html') return { 'Cache-Control': caching };
  return {
    'Cache-Control': caching,
    'Content-Security-Policy': pagePolicy(Buffer.from(plain).toString('utf8')),
  };
}
