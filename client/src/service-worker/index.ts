import { version } from '$app/env';
import { assets, immutable } from '$app/manifest';
import { self } from '$app/service-worker';

/**
 * Shows the tickets page where there is no network, as at many a turnstile; the tickets themselves are in the browser's
 * storage. All else is left to the network: a sale that is not live must not look as if it were.
 */

const PAGE = '/tickets';
/** What a page and its scripts say belongs together, so they are kept, and thrown away, together. */
const CACHE = `tickets-${version}`;
/** Longer than this at a turnstile, and the kept page is the better answer. */
const PATIENCE_MS = 3_000;
/** For names in scripts that tickets hardly have; without them the device's own letters do. */
const RARE_LETTERS = /-(latin-ext|vietnamese)-/;

const pathOf = ({ path }: { path: string }): string => new URL(path, location.origin).pathname;
const hashed = new Set(immutable.map(pathOf).filter((path) => !RARE_LETTERS.test(path)));
const plain = new Set([PAGE, ...assets.map(pathOf)]);

async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll([...plain, ...hashed]);
  // While a new version is being rolled out, the page may have come from a server that has the other one.
  const page = await (await kept(PAGE))?.text();
  const [script = ''] = /\/_app\/immutable\/entry\/start\.[^"]+\.js/.exec(page ?? '') ?? [];
  if (!hashed.has(script)) throw new Error('the page is of another version than its scripts');
}

async function forgetOthers(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith('tickets-') && name !== CACHE);
  await Promise.all(others.map((name) => caches.delete(name)));
}

async function kept(path: string): Promise<Response | undefined> {
  return (await caches.open(CACHE)).match(path, { ignoreVary: true });
}

/** From the network while it answers, so that a new version is seen at once. */
async function freshOrKept(request: Request, path: string): Promise<Response> {
  const fresh = fetch(request);
  const timely = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS));
  const answer = await Promise.race([fresh, timely]).catch(() => undefined);
  if (answer && answer.status < 500) return answer;
  return (await kept(path)) ?? answer ?? fresh;
}

self.addEventListener('install', (event) => event.waitUntil(keep()));
self.addEventListener('activate', (event) => event.waitUntil(forgetOthers()));
self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== 'GET' || origin !== location.origin) return;
  if (hashed.has(pathname)) event.respondWith(kept(pathname).then((file) => file ?? fetch(request)));
  else if (plain.has(pathname)) event.respondWith(freshOrKept(request, pathname));
});
