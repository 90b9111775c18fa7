import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { readBuild } from '../../src/gateway/static-files.ts';
import { type HttpStand, startHttpStand } from './http-stand.ts';

const SCRIPT = 'const here = 1;';
const PAGE = `<!doctype html><script>${SCRIPT}</script><script src="/_app/start.js"></script>`;
const CHUNK = `/_app/immutable/chunk.Ab3.js`;
const SOURCE = 'export const seats = 1;\n'.repeat(100);
/** Larger than what a socket takes at once, and different everywhere. */
const PICTURE = Buffer.from(Uint32Array.from({ length: 2 * 1_024 * 1_024 }, (_, index) => index).buffer);

const files = {
  '200.html': PAGE,
  'about.html': '<p>about',
  'service-worker.js': 'self;',
  'robots.txt': 'User-agent: *',
  'seats.png': PICTURE,
  '_app/immutable/chunk.Ab3.js': SOURCE,
  '_app/immutable/chunk.Ab3.js.br': brotliCompressSync(SOURCE),
  '_app/immutable/chunk.Ab3.js.gz': gzipSync(SOURCE),
};

const stands: HttpStand[] = [];
async function start(content: Readonly<Record<string, string | Uint8Array>> = files): Promise<HttpStand> {
  const stand = await startHttpStand({ files: content });
  stands.push(stand);
  return stand;
}
afterEach(() => {
  for (const stand of stands.splice(0)) stand.close();
});

describe('the built client over HTTP', () => {
  it('hashed files are kept forever, in the coding the client takes', async () => {
    const { call } = await start();
    const plain = await call('GET', CHUNK);
    expect(plain.body.toString()).toBe(SOURCE);
    expect(plain.headers).toMatchObject({
      'cache-control': 'public, max-age=31536000, immutable',
      'content-type': 'text/javascript; charset=utf-8',
    });
    for (const [accepted, coding, ending] of [
      ['gzip, br', 'br', '.br'],
      ['gzip', 'gzip', '.gz'],
    ] as const) {
      const answer = await call('GET', CHUNK, { headers: { 'Accept-Encoding': accepted } });
      expect(answer.headers['content-encoding']).toBe(coding);
      expect(answer.headers.vary).toBe('Accept-Encoding');
      expect(answer.body).toEqual(files[`_app/immutable/chunk.Ab3.js${ending}`]);
    }
  });

  it('pages are asked for each time, and 304 when unchanged', async () => {
    const { call } = await start();
    const page = await call('GET', '/');
    expect(page.headers['cache-control']).toBe('no-cache');
    const again = await call('GET', '/', { headers: { 'If-None-Match': page.headers.etag ?? '' } });
    expect([again.status, again.body.length]).toEqual([304, 0]);
  });

  it('a page may run exactly the scripts it was built with', async () => {
    const { call } = await start();
    const policy = (await call('GET', '/')).headers['content-security-policy'];
    const hash = createHash('sha256').update(SCRIPT).digest('base64');
    expect(policy).toContain(`script-src 'self' 'sha256-${hash}';`);
    expect((await call('GET', '/about')).headers['content-security-policy']).toContain("script-src 'self';");
  });

  it('the service worker may fetch what pages may, and is asked for each time; other files may do nothing', async () => {
    const { call } = await start();
    const worker = await call('GET', '/service-worker.js');
    expect(worker.headers).toMatchObject({
      'cache-control': 'no-cache',
      'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'",
    });
    const script = await call('GET', CHUNK);
    expect(script.headers['content-security-policy']).not.toContain('self');
  });

  it("paths without an ending are the client's own pages, 404 where they name no show; prerendered ones come as they are", async () => {
    const { call } = await start();
    for (const path of ['/', '/shows/7', '/shows/7/', '/tickets?x=1']) {
      const { status, body } = await call('GET', path);
      expect([status, body.toString()]).toEqual([200, PAGE]);
    }
    for (const path of ['/showz', '/shows/7/seats', '/shows/4711', '/shows/07', '/shows/x', '/%E2%9C%93']) {
      const { status, body } = await call('GET', path);
      expect([status, body.toString()]).toEqual([404, PAGE]);
    }
    expect((await call('GET', '/about')).body.toString()).toBe('<p>about');
  });

  it('a missing file is missing: no page in its place', async () => {
    const { call } = await start();
    for (const path of ['/nothing.js', '/_app/immutable/old', '/_app/immutable/old.js', '/favicon.ico']) {
      expect((await call('GET', path)).json()).toMatchObject({ code: 'not-found' });
    }
  });

  it('HEAD tells the length of a file', async () => {
    const { call } = await start();
    const head = await call('HEAD', '/seats.png');
    expect(head.headers).toMatchObject({
      'content-length': String(PICTURE.length),
      'content-type': 'image/png',
    });
    expect(head.body).toHaveLength(0);
  });

  it('a large file arrives whole, also at a slow reader, and may be given up half way', async () => {
    const { call, connect } = await start();
    expect((await call('GET', '/seats.png')).body.equals(PICTURE)).toBe(true);
    const leaver = await connect();
    leaver.write('GET /seats.png HTTP/1.1\r\nHost: x\r\n\r\n');
    leaver.once('data', () => leaver.resetAndDestroy());
    const slow = await connect();
    slow.write('GET /seats.png HTTP/1.1\r\nHost: x\r\n\r\n');
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of slow as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      // Other requests are served while this one waits.
      if (chunks.length % 20 === 0) await call('GET', '/robots.txt');
      if (length >= PICTURE.length + 200) break;
    }
    const whole = Buffer.concat(chunks);
    expect(whole.subarray(whole.indexOf('\r\n\r\n') + 4).equals(PICTURE)).toBe(true);
  });

  it.each([
    '/../package.json',
    '/..%2f..%2fpackage.json',
    '/%2e%2e/%2e%2e/etc/passwd',
    '/_app/../../package.json',
    '//etc/passwd',
    '/..\\..\\package.json',
    '/%00',
    '/__proto__',
    '/constructor',
    '/%',
    '/%c0%ae%c0%ae/etc/passwd',
  ])('[P6] nothing outside the build can be reached: %s', async (path) => {
    const { connect } = await start();
    const socket = await connect();
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    socket.end();
    let said = '';
    for await (const chunk of socket as AsyncIterable<Buffer>) said += chunk.toString('latin1');
    const [head = '', body = ''] = said.split('\r\n\r\n');
    if (head.startsWith('HTTP/1.1 200')) expect(body).toBe(PAGE);
    else expect(head).toMatch(/^HTTP\/1\.1 (404|400)/);
  });

  it('a client that is not built is said to be so, to people and to programs', async () => {
    const { call } = await start({});
    const page = await call('GET', '/', { headers: { Accept: 'text/html,*/*' } });
    expect([page.status, page.headers['content-type']]).toEqual([503, 'text/html; charset=utf-8']);
    expect(page.body.toString()).toContain('npm start');
    expect((await call('GET', '/')).json()).toMatchObject({ code: 'client-not-built' });
  });

  it('is read from a folder with all below it; no folder is no client', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'stampede-build-'));
    try {
      await mkdir(join(folder, 'deep', 'down'), { recursive: true });
      await writeFile(join(folder, 'index.html'), PAGE);
      await writeFile(join(folder, 'deep', 'down', 'x.js'), SOURCE);
      const files = await readBuild(folder);
      expect([...files.keys()].sort()).toEqual(['deep/down/x.js', 'index.html']);
      expect(Buffer.from(files.get('deep/down/x.js')!).toString()).toBe(SOURCE);
      expect((await readBuild(join(folder, 'none'))).size).toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
