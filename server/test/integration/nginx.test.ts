import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HELD } from '@stampede/shared/seat-map/seat-status.ts';
import { addressOfBuyer, httpCall } from '../../tools/shopper/sockets.ts';
import { startNginx } from '../../tools/nginx/nginx-server.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { PlainSocket } from './app-stand-socket.ts';
import { Fleet, type FleetNode, until } from './stack/fleet.ts';
import { freshSharedParts, type SharedParts } from './stack/shared-parts.ts';
import { newBearer, Shopper } from '../../tools/shopper/shopper.ts';
import { visitedShow } from './app-stand-show.ts';

const SHOW = visitedShow(1, [40, 40]);
const CALLS_PER_MINUTE = 30;
const SOCKETS = 2_000;
const SOCKETS_AT_ONCE = 200;
/** Each has fewer sockets than one session may have at a gateway. */
const SESSIONS = 100;
const RESUME_WITHIN_MS = 10_000;

let parts: SharedParts;
let fleet: Fleet;
let gateways: readonly [FleetNode, FleetNode];
let nginx: NativeServer;
let port: number;

const get = (path: string) => fetch(`${nginx.url}${path}`);

/** The sockets that a gateway itself counts. */
async function socketsOf(gateway: FleetNode): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${gateway.port}/metrics`)).text();
  return Number(/^stampede_sockets_open (\d+)$/m.exec(text)?.[1]);
}

beforeAll(async () => {
  parts = await freshSharedParts();
  fleet = await Fleet.prepare(parts, [{ sectionSeats: [40, 40] }], {
    TRUSTED_PROXIES: '127.0.0.1',
    // The calls of this file's own arrangements, which come from 127.0.0.1.
    UNLIMITED_ADDRESSES: '127.0.0.1',
    HTTP_READS_PER_MINUTE: String(CALLS_PER_MINUTE),
  });
  await fleet.start('worker,scheduler');
  gateways = await Promise.all([fleet.start('gateway,scheduler'), fleet.start('gateway,scheduler')]);
  nginx = await startNginx({ gateways: gateways.map((gateway) => gateway.port) });
  port = nginx.ports[0] ?? 0;
});
afterAll(async () => {
  await nginx.remove();
  await fleet.end();
  await parts.drop();
});

describe('behind the nginx of production', () => {
  test('buyers hold and pay over sockets that nginx spreads over both gateways', async () => {
    const buyers = await Promise.all(Array.from({ length: 6 }, () => Shopper.arrive(port, SHOW)));
    const counts = await Promise.all(gateways.map(socketsOf));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(buyers.length);
    expect(Math.min(...counts)).toBeGreaterThan(1);
    const [first, second] = buyers;
    await first?.admitted();
    await first?.holds([7]);
    await until('held on the other screen', () => second?.seatStatus(7) === HELD);
    const order = await first?.pays('through-nginx');
    await until('confirmed', () => first?.order(order?.id ?? '')?.status === 'confirmed');
    for (const buyer of buyers) buyer.client.stop();
    await until('gone', async () =>
      (await Promise.all(gateways.map(socketsOf))).every((count) => count === 0),
    );
  });

  test('what is for operators is hidden, however it is written', async () => {
    const hidden = [
      '/metrics',
      '/metrics?x=1',
      '//metrics',
      '/%6detrics',
      '/x/../metrics',
      '/readyz',
      '/%72eadyz',
    ];
    for (const path of hidden) expect((await get(path)).status, path).toBe(404);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/api/shows')).status).toBe(200);
    for (const gateway of gateways) expect(await gateway.status('/metrics')).toBe(200);
  });

  test('[P7] an address has its limits through nginx, and none more for claiming to be others', async () => {
    const call = (source: string) =>
      httpCall(new URL('/api/shows', nginx.url), { method: 'GET', source }).then(({ status }) => status);
    const forged = (index: number) =>
      PlainSocket.open(port, {
        from: '127.77.0.3',
        headers: { 'x-forwarded-for': `203.0.113.${index}` },
        path: '/api/shows',
      }).catch((cause: unknown) => (cause instanceof Error && 'status' in cause ? cause.status : cause));
    // Each of the two gateways counts for itself.
    const calls = 3 * CALLS_PER_MINUTE;
    const own = await Promise.all(Array.from({ length: calls }, () => call('127.77.0.2')));
    expect(own.filter((status) => status === 200).length).toBeLessThanOrEqual(2 * CALLS_PER_MINUTE);
    expect(own).toContain(429);
    expect(await call('127.77.0.4')).toBe(200);
    const others = await Promise.all(Array.from({ length: calls }, (_, index) => forged(index)));
    expect(others).toContain(429);
    expect(await call('127.77.0.5')).toBe(200);
  });

  test('thousands of sockets are open at once, and each is answered', { timeout: 120_000 }, async () => {
    const bearers = await Promise.all(Array.from({ length: SESSIONS }, () => newBearer(port)));
    const sockets: PlainSocket[] = [];
    for (let from = 0; from < SOCKETS; from += SOCKETS_AT_ONCE) {
      const some = Array.from({ length: SOCKETS_AT_ONCE }, (_, index) =>
        PlainSocket.open(port, {
          bearer: bearers[(from + index) % bearers.length] ?? '',
          from: addressOfBuyer(from + index, 0.5),
        }),
      );
      sockets.push(...(await Promise.all(some)));
    }
    const counts = await Promise.all(gateways.map(socketsOf));
    expect(counts[0]! + counts[1]!).toBe(SOCKETS);
    expect(Math.abs(counts[0]! - counts[1]!)).toBeLessThan(SOCKETS / 4);
    const answers = await Promise.all(sockets.map((socket) => socket.ask({ type: 'enter', show: SHOW.id })));
    expect(new Set(answers.map(({ type }) => type))).toEqual(new Set(['entered']));
    expect(sockets.filter(({ closeCode }) => closeCode !== null)).toEqual([]);
    await Promise.all(sockets.map((socket) => socket.cut()));
  });

  test('[P4] a gateway killed -9: its buyers are back on the other, with their holds, and no call fails', async () => {
    const buyers = await Promise.all(Array.from({ length: 12 }, () => Shopper.arrive(port, SHOW)));
    await Promise.all(buyers.map((buyer) => buyer.admitted()));
    const holds = await Promise.all(buyers.map((buyer, index) => buyer.holds([10 + index])));
    const [victim, survivor] = gateways;
    expect(await socketsOf(victim)).toBeGreaterThan(0);
    await victim.kill();
    const statuses = await Promise.all(
      Array.from({ length: 40 }, () => get('/api/shows').then(({ status }) => status)),
    );
    expect(new Set(statuses)).toEqual(new Set([200]));
    await until(
      'everybody is back',
      async () =>
        (await socketsOf(survivor)) === buyers.length &&
        buyers.every(({ view }) => view.connection.state === 'open'),
      RESUME_WITHIN_MS,
    );
    expect(buyers.some(({ losses }) => losses > 0)).toBe(true);
    await until('holds are known again', () => buyers.every(({ hold }) => hold !== null));
    expect(buyers.map(({ hold }) => hold?.holdToken)).toEqual(holds.map(({ holdToken }) => holdToken));
    const [buyer] = buyers;
    const order = await buyer?.pays('after-the-crash');
    await until('confirmed', () => buyer?.order(order?.id ?? '')?.status === 'confirmed');
    for (const one of buyers) one.client.stop();
  });

  test('no gateway at all is told in the words of the API', async () => {
    await gateways[1].kill();
    const answer = await get('/api/shows');
    expect(answer.status).toBe(503);
    expect(answer.headers.get('retry-after')).toBe('2');
    const { code, traceId } = (await answer.json()) as { code: string; traceId: string };
    expect(code).toBe('busy');
    expect(traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});
