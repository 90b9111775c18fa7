import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { type AppStand, startAppStand } from './app-stand.ts';

const CYCLES = 500;
const AT_ONCE = 25;
/** A socket and all that belongs to it takes some kilobytes; keeping every one of them would show. */
const GROWTH_BYTES_MAX = 4 * 1_024 * 1_024;

let stand: AppStand;
beforeAll(async () => {
  stand = await startAppStand({
    shows: [{ sale: { admittedMax: 10 } }, {}],
    settings: { WAITING_GRACE_SECONDS: '1', CLAIM_SECONDS: '1' },
  });
});
afterAll(async () => {
  await stand.stop();
  expect(stand.errors).toEqual([]);
});

const random = seededRandom(99);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Comes, enters, joins, watches, and goes at a random moment in a random way. */
async function visit(): Promise<void> {
  const { bearer } = stand.newSession();
  const socket = await stand.socket({ bearer });
  const steps = [
    () => socket.ask({ type: 'enter', show: stand.show(random() < 0.8 ? 0 : 1).id }),
    () => socket.ask({ type: 'join', receipt: null }),
    () => socket.ask({ type: 'watch', sections: [{ section: 0, epoch: 0, sequence: 0 }] }),
    () => socket.ask({ type: 'enter', show: stand.show(0).id }),
  ];
  const until = Math.floor(random() * (steps.length + 1));
  for (const step of steps.slice(0, until)) await step();
  // The last request is still under way when the connection goes.
  const last = steps[until]?.().catch(() => undefined);
  await (random() < 0.5 ? socket.cut() : socket.close());
  await last;
}

test(`[P7] ${CYCLES} buyers who come and go leave nothing behind: no tab, no position, no place, no socket`, async () => {
  const heapBytes: number[] = [];
  for (let cycle = 0; cycle < CYCLES; cycle += AT_ONCE) {
    await Promise.all(Array.from({ length: AT_ONCE }, visit));
    collectGarbage();
    heapBytes.push(process.memoryUsage().heapUsed);
  }
  await stand.until('nobody left', () => stand.socketCount === 0);
  await stand.pass(3_000);
  for (const index of [0, 1]) {
    expect(stand.sale(index).sessionCount).toBe(0);
    expect(stand.sale(index).positions.size).toBe(0);
  }
  // With every place and admission given up, a newcomer walks straight in.
  const client = await stand.shopper();
  expect(client.view.standing.state).toBe('admitted');
  const warm = heapBytes[Math.floor(heapBytes.length / 4)] ?? 0;
  expect((heapBytes.at(-1) ?? 0) - warm).toBeLessThan(GROWTH_BYTES_MAX);
});
