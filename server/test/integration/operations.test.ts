import { afterEach, expect, test } from 'vitest';
import { type AppStand, startAppStand } from './app-stand.ts';

let stand: AppStand;
afterEach(() => stand.stop());

const statusOf = async (port: number, path: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}${path}`)).status;

test("[P6] with OPS_PORT, readiness and metrics are not on the buyers' port, and buyers are not on theirs", async () => {
  stand = await startAppStand({ settings: { OPS_PORT: '0' } });
  const { port, opsPort } = stand;
  expect(opsPort).not.toBe(port);
  for (const path of ['/metrics', '/readyz']) {
    expect([path, await statusOf(port, path), await statusOf(opsPort, path)]).toEqual([path, 404, 200]);
  }
  for (const path of ['/api/shows', '/']) expect([path, await statusOf(opsPort, path)]).toEqual([path, 404]);
  expect([await statusOf(port, '/healthz'), await statusOf(opsPort, '/healthz')]).toEqual([200, 200]);
});

test('without it they are on the one port there is', async () => {
  stand = await startAppStand();
  expect(stand.opsPort).toBe(stand.port);
  expect([await statusOf(stand.port, '/metrics'), await statusOf(stand.port, '/readyz')]).toEqual([200, 200]);
});
