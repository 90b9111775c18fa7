import { once } from 'node:events';
import type { BearerOpened } from '@stampede/shared/protocol/http.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  type Answer,
  expectError,
  type HttpStand,
  NOW,
  type StandOptions,
  startHttpStand,
} from './http-stand.ts';

const stands: HttpStand[] = [];

async function start(options?: StandOptions): Promise<HttpStand> {
  const stand = await startHttpStand(options);
  stands.push(stand);
  return stand;
}

afterEach(() => {
  for (const stand of stands.splice(0)) stand.close();
});

/** Everything the server says on a connection until it closes it. */
async function untilClosed(socket: Awaited<ReturnType<HttpStand['connect']>>): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  if (!socket.closed) await once(socket, 'close');
  return Buffer.concat(chunks).toString('latin1');
}

describe('sessions over HTTP', () => {
  const cookieOf = (answer: Answer) => answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';

  const JSON_BODY = { 'Content-Type': 'application/json' };
  const asBearer = (call: HttpStand['call'], headers = {}) =>
    call('POST', '/api/sessions', { body: '{"bearer":true}', headers: { ...JSON_BODY, ...headers } });
  const EXPIRES_AT = NOW + 7 * 86_400_000;

  it('[P4] 10.1 creates a session once and knows it again by its cookie, of which no script hears', async () => {
    const { call } = await start();
    const created = await call('POST', '/api/sessions');
    expect(created.status).toBe(201);
    const opened = z.strictObject({ id: z.string().regex(/^[\w-]{22}$/), expiresAt: z.string() });
    expect(opened.parse(created.json()).expiresAt).toBe(new Date(EXPIRES_AT).toISOString());
    expect(created.headers['set-cookie']).toHaveLength(1);
    const [pair, ...attributes] = created.headers['set-cookie']?.[0]?.split('; ') ?? [];
    expect(pair).toMatch(/^stampede_session=s2\.\S+$/);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Strict']);
    expect(created.headers['cache-control']).toBe('no-store');
    const known = await call('POST', '/api/sessions', { headers: { Cookie: cookieOf(created) } });
    expect(known.status).toBe(200);
    expect(known.json()).toEqual(created.json());
    expect(cookieOf(known)).toBe(cookieOf(created));
  });

  it('[P4] 10.2 tells a client that asks for it the bearer, sets no cookie, and knows it again', async () => {
    const { call } = await start();
    const created = await asBearer(call);
    expect([created.status, created.headers['set-cookie']]).toEqual([201, undefined]);
    const { bearer } = created.json() as BearerOpened;
    const known = await asBearer(call, { Authorization: `Bearer ${bearer}` });
    expect([known.status, known.json()]).toEqual([200, created.json()]);
  });

  it('10.4 asks nothing of the catalogue but when its last show begins', async () => {
    const { call, sale } = await start();
    // Walking it would fail; it may hold thousands.
    sale.failing = true;
    expect((await call('POST', '/api/sessions')).status).toBe(201);
  });

  it('[P6] 10.2 a script on a page gets no bearer of the session that its cookie stands for', async () => {
    const { call } = await start();
    const cookie = cookieOf(await call('POST', '/api/sessions'));
    const another = await asBearer(call, { Cookie: cookie });
    expect(another.status).toBe(201);
    expect(cookie).not.toContain((another.json() as BearerOpened).bearer.split('.')[2]);
  });

  it('[P6] 10.3 of two cookies of the name none counts', async () => {
    const { call } = await start();
    const cookies = [await call('POST', '/api/sessions'), await call('POST', '/api/sessions')].map(cookieOf);
    const answer = await call('POST', '/api/sessions', { headers: { Cookie: cookies.join('; ') } });
    expect(answer.status).toBe(201);
    expect(cookies).not.toContain(cookieOf(answer));
  });

  it('10.5 signing out ends the cookie and the sockets, and is nothing to who is nobody', async () => {
    const { call, ended } = await start();
    const { headers } = await call('POST', '/api/sessions');
    const Cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const signedOut = await call('DELETE', '/api/sessions', { headers: { Cookie } });
    expect([signedOut.status, signedOut.body.length]).toEqual([204, 0]);
    expect(signedOut.headers['set-cookie']).toHaveLength(1);
    expect(signedOut.headers['set-cookie']?.[0]?.split('; ').sort()).toEqual(
      ['stampede_session=', 'Path=/', 'Max-Age=0', 'HttpOnly', 'SameSite=Strict'].sort(),
    );
    expect(ended).toEqual([Cookie.split('.')[2]]);
    expect((await call('DELETE', '/api/sessions')).status).toBe(204);
    expectError(
      await call('DELETE', '/api/sessions', { headers: { Cookie, Origin: 'https://evil.example' } }),
      403,
      'origin-not-allowed',
    );
    expect(ended).toHaveLength(1);
  });

  it('a stale or forged session is replaced by a new one', async () => {
    const { call, clock } = await start();
    const created = await call('POST', '/api/sessions');
    const forged = cookieOf(created).replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A'));
    expect((await call('POST', '/api/sessions', { headers: { Cookie: forged } })).status).toBe(201);
    clock.advance(EXPIRES_AT - NOW);
    const old = await call('POST', '/api/sessions', { headers: { Cookie: cookieOf(created) } });
    expect(old.status).toBe(201);
    expect(cookieOf(old)).not.toBe(cookieOf(created));
  });

  it('[P6] pages of other origins may not; those of this host may', async () => {
    const { call, port } = await start();
    const from = (origin: string) => call('POST', '/api/sessions', { headers: { Origin: origin } });
    expectError(await from('https://evil.example'), 403, 'origin-not-allowed');
    expectError(await from('null'), 403, 'origin-not-allowed');
    expect((await from(`http://127.0.0.1:${port}`)).status).toBe(201);
  });

  it('10.1 the cookie is Secure and of this host alone when a known proxy says https, and only then', async () => {
    const behindProxy = await start({ trustedProxies: ['127.0.0.1'] });
    const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': '203.0.113.5' };
    const secure = await behindProxy.call('POST', '/api/sessions', { headers });
    const [pair, ...attributes] = secure.headers['set-cookie']?.[0]?.split('; ') ?? [];
    expect(pair).toMatch(/^__Host-stampede_session=s2\./);
    expect(attributes.sort()).toEqual(['HttpOnly', 'Max-Age=604800', 'Path=/', 'SameSite=Strict', 'Secure']);
    const open = await (await start()).call('POST', '/api/sessions', { headers });
    expect(open.headers['set-cookie']?.[0]).not.toMatch(/Secure|__Host/);
  });

  it.each([
    ['an empty object', '{}', 'application/json; charset=utf-8', 201, ''],
    ['broken JSON', '{', 'application/json', 400, 'malformed'],
    ['no UTF-8', Uint8Array.of(0x22, 0xff, 0x22), 'application/json', 400, 'malformed'],
    ['a field nobody knows', '{"captha":1}', 'application/json', 422, 'invalid'],
    ['another shape', '[]', 'application/json', 422, 'invalid'],
    ['a form', 'a=b', 'application/x-www-form-urlencoded', 415, 'unsupported-media-type'],
  ] as const)('a body that is %s', async (_, body, type, status, code) => {
    const { call } = await start();
    const answer = await call('POST', '/api/sessions', { body, headers: { 'Content-Type': type } });
    if (status === 201) expect(answer.status).toBe(201);
    else expectError(answer, status, code);
  });
});

describe('bounds of HTTP', () => {
  it('[P7] a body that announces itself too large is refused before it arrives', async () => {
    const { connect } = await start();
    const socket = await connect();
    socket.write('POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\nabc');
    const said = await untilClosed(socket);
    expect(said).toMatch(/^HTTP\/1\.1 413 /);
    expect(said).toContain('"too-large"');
  });

  it.each(['Content-Length: 5\r\nContent-Length: 3', 'Content-Length: 3\r\ncontent-length: 3'])(
    '[P6] a body whose length is told twice is refused, and what hides behind it is not answered: %j',
    async (lengths) => {
      const { connect } = await start();
      const head = `POST /api/sessions HTTP/1.1\r\nHost: x\r\n${lengths}\r\n\r\n`;
      const plain = await connect();
      plain.write(`${head}{}   `);
      expect(await untilClosed(plain)).toMatch(/^HTTP\/1\.1 400 /);
      const hiding = await connect();
      hiding.write(`${head}{} GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n`);
      expect(await untilClosed(hiding)).not.toContain('alive');
    },
  );

  it('[P7] a body that turns out too large is cut off', async () => {
    const { connect } = await start();
    const socket = await connect();
    socket.write('POST /api/sessions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    socket.write(`1001\r\n${'x'.repeat(0x1001)}\r\n`);
    expect(await untilClosed(socket)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('[P7] a body that does not arrive in time is not waited for', async () => {
    const { connect, clock } = await start();
    const socket = await connect();
    const answer = untilClosed(socket);
    socket.write('POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{');
    const keepMoving = setInterval(() => clock.advance(1_000), 20);
    expect(await answer).toMatch(/^HTTP\/1\.1 408 /);
    clearInterval(keepMoving);
  });

  it('a client that leaves in the middle of its body harms nobody', async () => {
    const { call, connect } = await start();
    for (let client = 0; client < 50; client++) {
      const socket = await connect();
      socket.write('POST /api/sessions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"a":');
      if (client % 2 === 0) socket.resetAndDestroy();
      else socket.end();
    }
    expect((await call('POST', '/api/sessions')).status).toBe(201);
  });

  it('[P7] an address opens so many sessions a minute, then 429 with Retry-After; reading goes on', async () => {
    const { call } = await start({ callsPerMinute: 3, files: { '200.html': '<p>page' } });
    const first = await call('POST', '/api/sessions');
    for (let more = 0; more < 2; more++) await call('POST', '/api/sessions', { body: '' });
    const refused = await call('POST', '/api/sessions');
    expectError(refused, 429, 'rate-limited');
    const seconds = Number(refused.headers['retry-after']);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    // A whole company looks at the page, and comes back with the sessions that it has.
    const Cookie = first.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    for (let view = 0; view < 50; view++) {
      for (const path of ['/', '/api/shows', '/api/shows/7', '/api/shows/7/layout']) {
        expect((await call('GET', path)).status).toBe(200);
      }
      expect((await call('POST', '/api/sessions', { headers: { Cookie } })).status).toBe(200);
    }
    expect((await call('POST', '/api/sessions', { from: '127.0.0.2' })).status).toBe(201);
  });

  it('[P7] an address reads so much a minute, found or not; files and health do not count', async () => {
    const { call } = await start({ readsPerMinute: 3, files: { '200.html': '<p>page' } });
    for (let page = 0; page < 5; page++) expect((await call('GET', '/')).status).toBe(200);
    for (const path of ['/api/shows', '/api/shows/7', '/api/nothing']) await call('GET', path);
    expectError(await call('GET', '/api/shows'), 429, 'rate-limited');
    expectError(await call('POST', '/api/sessions', { body: '{}' }), 429, 'rate-limited');
    expect((await call('GET', '/healthz')).status).toBe(200);
    expect((await call('GET', '/api/shows', { from: '127.0.0.2' })).status).toBe(200);
  });

  it('[P7] behind a known proxy each client has its own budget, and nobody can borrow one by a forged header', async () => {
    const { call } = await start({ readsPerMinute: 1, trustedProxies: ['127.0.0.1'] });
    const as = (forwarded: string | string[], from = '127.0.0.1') =>
      call('GET', '/api/shows', { from, headers: { 'X-Forwarded-For': forwarded } });
    expect((await as('203.0.113.1')).status).toBe(200);
    expect((await as('203.0.113.1')).status).toBe(429);
    expect((await as('203.0.113.2')).status).toBe(200);
    // The proxy appends what it saw, on the same line or on a line of its own; what the client wrote stands before.
    expect((await as('198.51.100.99, 203.0.113.2')).status).toBe(429);
    expect((await as(['198.51.100.98', '203.0.113.2'])).status).toBe(429);
    expect((await as('203.0.113.50', '127.0.0.9')).status).toBe(200);
    expect((await as('203.0.113.51', '127.0.0.9')).status).toBe(429);
  });

  it('addresses without limits have none', async () => {
    const { call } = await start({ readsPerMinute: 1, unlimitedAddresses: ['127.0.0.0/8'] });
    for (let time = 0; time < 5; time++) expect((await call('GET', '/api/shows')).status).toBe(200);
  });
});
