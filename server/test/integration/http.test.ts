import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import type { ShowDetail, ShowSeats } from '@stampede/shared/protocol/http.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { Ajv2020 } from 'ajv/dist/2020.js';
import uws from 'uWebSockets.js';
import { afterEach, describe, expect, it } from 'vitest';
import { ListenError, listen } from '../../src/gateway/http-listen.ts';
import {
  expectError,
  type HttpStand,
  NOW,
  type StandOptions,
  startHttpStand,
  TRACE_ID,
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

describe('shows over HTTP', () => {
  it('11.1 lists shows with what a page needs', async () => {
    const { call } = await start();
    const answer = await call('GET', '/api/shows');
    expect(answer.status).toBe(200);
    expect(answer.json()).toEqual([
      {
        id: 7,
        title: 'Night of the Long Queue',
        subtitle: 'One night only',
        venue: 'Test Hall',
        city: 'Testville',
        startsAt: new Date(NOW + 360_000_000).toISOString(),
        timeZone: 'UTC',
        phase: 'open',
        lobbyAt: new Date(NOW - 7_200_000).toISOString(),
        opensAt: new Date(NOW - 3_600_000).toISOString(),
        seatCount: 2_000,
        freeSeats: 2_000,
        currency: 'EUR',
        priceFrom: 4_500,
        priceTo: 9_000,
      },
    ]);
  });

  it('the seed of the draw stays secret until the on-sale opens, its hash does not', async () => {
    const { call, sale, clock } = await start();
    const detail = async () =>
      (await call('GET', '/api/shows/7')).json() as Pick<ShowDetail, 'drawSeed' | 'drawCommitment'>;
    for (const phase of ['scheduled', 'lobby'] as const) {
      sale.phase = phase;
      clock.advance(1_000);
      const { drawSeed, drawCommitment } = await detail();
      expect(drawSeed).toBeNull();
      expect(drawCommitment).toMatch(/^[0-9a-f]{64}$/);
    }
    sale.phase = 'open';
    clock.advance(1_000);
    expect((await detail()).drawSeed).toBe('11'.repeat(32));
  });

  it('11.3 tells the layout and price levels, to be kept for long', async () => {
    const { call } = await start();
    const answer = await call('GET', '/api/shows/7/layout');
    expect(answer.json()).toMatchObject({
      show: 7,
      layout: { id: 'test-hall' },
      priceLevels: [
        { name: 'Front', amount: 9_000 },
        { name: 'Back', amount: 4_500 },
      ],
    });
    expect(answer.headers['cache-control']).toBe('public, max-age=3600');
  });

  it('tells the prices of a show that was edited', async () => {
    const { call, sale } = await start();
    await call('GET', '/api/shows/7/layout');
    sale.show = { ...sale.show, prices: [9_900, 4_500] };
    const answer = await call('GET', '/api/shows/7/layout');
    expect(answer.json()).toMatchObject({ priceLevels: [{ amount: 9_900 }, { amount: 4_500 }] });
  });

  it('11.3 tells every seat, anew after a second and not before', async () => {
    const { call, board, clock } = await start();
    const seats = async () => (await call('GET', '/api/shows/7/seats')).json() as ShowSeats;
    expect(await seats()).toMatchObject({ show: 7, epoch: 3 });
    board.apply([{ seat: 0, status: SOLD }]);
    clock.advance(999);
    expect((await seats()).sections[0]).toMatchObject({ free: 50, sequence: 0 });
    clock.advance(1);
    const { sections } = await seats();
    expect(sections[0]).toMatchObject({ name: 'Section 1', seatCount: 50, free: 49, sequence: 1 });
    expect(Buffer.from(sections[0]!.statuses, 'base64')[0]).toBe(SOLD);
  });

  it.each(['away', 'crowded'] as const)(
    '11.3 seats that can not be told now (%s) are a refusal',
    async (why) => {
      const { call, sale, logged } = await start();
      sale[why] = true;
      const answer = await call('GET', '/api/shows/7/seats');
      expectError(answer, 503, 'busy');
      expect(answer.headers['retry-after']).toBe('1');
      expect(logged.some((line) => line.includes('Redis is away'))).toBe(why === 'away');
      sale[why] = false;
      expect((await call('GET', '/api/shows/7/seats')).status).toBe(200);
    },
  );

  it.each(['/api/shows', '/api/shows/7', '/api/shows/7/layout', '/api/shows/7/seats'])(
    '%s: 304 for who has it, 200 once it changed',
    async (path) => {
      const { call, board, clock } = await start();
      const { etag = '' } = (await call('GET', path)).headers;
      const again = await call('GET', path, { headers: { 'If-None-Match': `"other", ${etag}` } });
      expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, etag]);
      board.apply([{ seat: 0, status: SOLD }]);
      clock.advance(1_000);
      const later = await call('GET', path, { headers: { 'If-None-Match': etag } });
      expect(later.status).toBe(path.endsWith('/layout') ? 304 : 200);
    },
  );

  it('compresses in the coding the client takes', async () => {
    const { call } = await start();
    const plain = await call('GET', '/api/shows/7/seats');
    expect(plain.headers['content-encoding']).toBeUndefined();
    const codings = [
      ['gzip, deflate, br', 'br', brotliDecompressSync],
      ['gzip;q=1, br;q=0', 'gzip', gunzipSync],
    ] as const;
    for (const [accepted, coding, decompress] of codings) {
      const answer = await call('GET', '/api/shows/7/seats', { headers: { 'Accept-Encoding': accepted } });
      expect(answer.headers['content-encoding']).toBe(coding);
      expect(answer.headers.vary).toBe('Accept-Encoding');
      expect(answer.body.length).toBeLessThan(plain.body.length / 2);
      expect(decompress(answer.body)).toEqual(plain.body);
    }
  });

  it('HEAD says what GET would, without the body', async () => {
    const { call } = await start();
    const get = await call('GET', '/api/shows/7');
    const head = await call('HEAD', '/api/shows/7');
    expect(head.status).toBe(200);
    expect(head.body).toHaveLength(0);
    for (const name of ['content-length', 'content-type', 'etag', 'cache-control']) {
      expect(head.headers[name]).toBe(get.headers[name]);
    }
  });

  it.each(['8', '0', '07', '-7', '7.0', 'x', '99999999999', '7%00', '%37'])(
    'there is no show %s',
    async (id) => {
      const { call } = await start();
      expectError(await call('GET', `/api/shows/${id}`), 404, 'show-unknown');
      expectError(await call('GET', `/api/shows/${id}/seats`), 404, 'show-unknown');
    },
  );
});

describe('the document of the API', () => {
  const paths = ['/api/shows', '/api/shows/{id}', '/api/shows/{id}/layout', '/api/shows/{id}/seats'];

  it('tells every address and method, in OpenAPI, and is known again', async () => {
    const { call } = await start();
    const answer = await call('GET', '/openapi.json');
    expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
    const document = answer.json() as { openapi: string; paths: Record<string, object> };
    expect(document.openapi).toBe('3.1.0');
    const told = Object.entries(document.paths).map(([path, methods]) => [path, Object.keys(methods)]);
    expect(Object.fromEntries(told)).toEqual({
      ...Object.fromEntries(paths.map((path) => [path, ['get']])),
      '/api/sessions': ['post', 'delete'],
      '/api/recoveries': ['get', 'post'],
    });
    const again = await call('GET', '/openapi.json', {
      headers: { 'If-None-Match': answer.headers.etag ?? '' },
    });
    expect(again.status).toBe(304);
  });

  it('tells people the same on a page that may do nothing', async () => {
    const { call } = await start();
    const { status, headers, body } = await call('GET', '/docs');
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    const page = body.toString();
    for (const path of [...paths, '/api/sessions', '/api/recoveries']) expect(page).toContain(path);
    expect(page).not.toMatch(/<script|<style|\[object/);
  });

  it.each([...paths, '/api/recoveries'])('%s answers what the document says', async (path) => {
    const { call } = await start();
    const Cookie = (await call('POST', '/api/sessions')).headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    const document = (await call('GET', '/openapi.json')).json() as object;
    const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(document, 'api');
    const pointer = ['paths', path, 'get', 'responses', '200', 'content', 'application/json', 'schema'];
    const escaped = pointer.map((part) => encodeURIComponent(part.replaceAll('/', '~1'))).join('/');
    const answer = await call('GET', path.replace('{id}', '7'), { headers: { Cookie } });
    const isAsTold = ajv.validate({ $ref: `api#/${escaped}` }, answer.json());
    expect([isAsTold, ajv.errors]).toEqual([true, null]);
  });
});

describe('errors and health over HTTP', () => {
  it('another method is 405 and says which go', async () => {
    const { call } = await start();
    const onSessions = await call('GET', '/api/sessions');
    expectError(onSessions, 405, 'method-not-allowed');
    expect(onSessions.headers.allow).toBe('POST, DELETE');
    const onShows = await call('DELETE', '/api/shows/7');
    expectError(onShows, 405, 'method-not-allowed');
    expect(onShows.headers.allow).toBe('GET, HEAD');
    expectError(await call('POST', '/'), 405, 'method-not-allowed');
  });

  it.each(['/api', '/api/', '/api/nothing', '/api/shows/', '/api/shows/7/seats/'])(
    '%s is 404, with an error body',
    async (path) => {
      const { call } = await start({ files: { '200.html': '<p>page' } });
      const answer = await call('GET', path);
      expect(answer.status).toBe(404);
      expect(answer.json()).toMatchObject({ traceId: answer.headers['trace-id'] });
    },
  );

  it('continues a trace that comes with the request, and begins one otherwise', async () => {
    const { call } = await start();
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` };
    expect((await call('GET', '/healthz', { headers })).headers['trace-id']).toBe(trace);
    const first = (await call('GET', '/healthz')).headers['trace-id'];
    expect(first).toMatch(TRACE_ID);
    expect((await call('GET', '/healthz', { headers: { traceparent: 'x' } })).headers['trace-id']).not.toBe(
      first,
    );
  });

  it('every answer carries the security headers', async () => {
    const { call } = await start({ files: { '200.html': '<p>page' } });
    for (const path of ['/', '/api/shows', '/nothing.js', '/healthz']) {
      const { headers } = await call('GET', path);
      expect(headers['x-content-type-options']).toBe('nosniff');
      expect(headers['referrer-policy']).toBe('same-origin');
      expect(headers['permissions-policy']).toContain('camera=()');
      expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    }
  });

  it('something broken is 500 with a trace id that the log knows, and no details', async () => {
    const { call, sale, logged } = await start();
    sale.failing = true;
    const answer = await call('GET', '/api/shows');
    expectError(answer, 500, 'internal');
    expect(answer.body.toString()).not.toContain('catalogue broke');
    const record = logged.find((line) => line.includes('catalogue broke')) ?? '';
    expect(record).toContain(answer.headers['trace-id']);
  });

  it('[P6] who is turned away leaves a count and a line, and nothing personal', async () => {
    const { call, logged } = await start({ readsPerMinute: 4, trustedProxies: ['127.0.0.1'] });
    const as = { 'X-Forwarded-For': '203.0.113.88' };
    const bearer = `s2.${'A'.repeat(8)}.${'secret-session-of-annie'.slice(0, 22)}.zzzzzzzz.${'A'.repeat(43)}`;
    await call('POST', '/api/sessions', { headers: { ...as, Origin: 'https://evil.example' } });
    await call('POST', '/api/sessions', { headers: { ...as, Cookie: `stampede_session=${bearer}` } });
    for (let time = 0; time < 20; time++) await call('GET', '/api/shows', { headers: as });
    const lines = logged.map((line) => JSON.parse(line) as Record<string, unknown>);
    const told = lines.filter(({ msg }) => msg === 'refused');
    expect(told.map(({ kind }) => kind)).toEqual(['origin', 'session-stale', 'budget-read']);
    expect(new Set(told.map(({ network }) => network)).size).toBe(1);
    expect(told[0]?.['network']).toMatch(/^[A-Za-z0-9_-]{11}$/);
    expect(logged.join('')).not.toMatch(/203\.0\.113|evil|annie/);
    const metrics = (await call('GET', '/metrics')).body.toString();
    expect(metrics).toContain('stampede_refusals_total{kind="origin"} 1');
    expect(metrics).toContain('stampede_refusals_total{kind="session-stale"} 1');
    expect(metrics).toContain('stampede_refusals_total{kind="budget-read"} 18');
  });

  it('[P6] no address, session or cookie reaches the log', async () => {
    const { call, logged } = await start({ trustedProxies: ['127.0.0.1'] });
    const { headers } = await call('POST', '/api/sessions');
    const Cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
    await call('POST', '/api/sessions', { headers: { Cookie, 'X-Forwarded-For': '203.0.113.77' } });
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.join('')).not.toMatch(/203\.0\.113\.77|127\.0\.0\.1|stampede_session/);
    expect(logged.join('')).not.toContain(Cookie.split('.')[2]);
  });

  it('tells metrics in the text format of Prometheus, never to be kept', async () => {
    const { call, metrics } = await start();
    metrics.countHold('seat-taken', 12);
    const { status, headers, body } = await call('GET', '/metrics');
    expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(headers['cache-control']).toBe('no-store');
    expect(body.toString()).toContain('\nstampede_holds_total{outcome="seat-taken"} 1\n');
  });

  it('is alive at once, ready when every part is, and not while draining', async () => {
    const { call, readiness } = await start();
    expect((await call('GET', '/healthz')).json()).toEqual({ status: 'alive' });
    expect((await call('GET', '/readyz')).json()).toEqual({
      status: 'ready',
      parts: { database: true, seats: true },
    });
    readiness.ready = { database: true, seats: false };
    const starting = await call('GET', '/readyz');
    expectError(starting, 503, 'not-ready');
    expect(starting.json()).toMatchObject({ message: 'Not ready yet: seats.', parts: { seats: false } });
    readiness.ready = { database: true, seats: true };
    readiness.isDraining = true;
    expectError(await call('GET', '/readyz'), 503, 'draining');
    expect((await call('GET', '/healthz')).status).toBe(200);
  });
});

describe('listening', () => {
  it('says that a port is taken and what to do, instead of sharing it', async () => {
    const { port } = await start();
    const second = listen(uws.App(), '127.0.0.1', port);
    await expect(second).rejects.toBeInstanceOf(ListenError);
    await expect(second).rejects.toThrow(
      `Can't listen on 127.0.0.1 port ${port}: another process listens there already; stop it or set PORT`,
    );
  });

  it('says that the address is not of this machine', async () => {
    await expect(listen(uws.App(), '203.0.113.1', 0)).rejects.toThrow(/no such address; correct HOST/);
  });

  it('takes no more connections once stopped', async () => {
    const app = uws.App();
    const listening = await listen(app, '127.0.0.1', 0);
    listening.stop();
    listening.stop();
    const again = await listen(uws.App(), '127.0.0.1', listening.port);
    again.stop();
  });
});
