import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultsOf } from './books.ts';
import { Fleet, type FleetNode, until } from './fleet.ts';
import { freshSharedParts, type SharedParts } from './shared-parts.ts';
import { Shopper } from '../../../tools/shopper/shopper.ts';
import { visitedShow } from '../app-stand-show.ts';

const SHOW = visitedShow(1, [20]);
const TEN_MINUTES_MS = 600_000;
const HOLD_LIFETIME_MS = 120_000;

let parts: SharedParts;
let fleet: Fleet;
let ahead: FleetNode;
let behind: FleetNode;

/** What a process is started with for its machine's clock to be wrong. */
function machineAhead(byMs: number): { readonly NODE_OPTIONS: string } {
  const shift = `const now=Date.now;Date.now=()=>now()+${byMs}`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(shift)}` };
}

async function readiness(node: FleetNode): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${node.port}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

beforeAll(async () => {
  parts = await freshSharedParts();
  const terms = { holdLifetimeMs: HOLD_LIFETIME_MS, admissionLifetimeMs: TEN_MINUTES_MS };
  fleet = await Fleet.prepare(parts, [{ sectionSeats: [20], sale: terms }]);
  const all = 'gateway,worker,scheduler';
  [ahead, behind] = [
    await fleet.launch(all, machineAhead(TEN_MINUTES_MS)),
    await fleet.launch(all, machineAhead(-TEN_MINUTES_MS)),
  ];
  for (const node of [ahead, behind]) {
    await until('a node answers', async () => (await node.status('/healthz')) === 200);
  }
});
afterAll(async () => {
  await fleet.end();
  await parts.drop();
});

describe('nodes on machines whose clocks are ten minutes wrong', () => {
  test('are not ready, and say why', async () => {
    await expect.poll(() => readiness(ahead)).toMatch(/^503 .*this machine's clock is 600 s ahead of Redis/);
    await expect.poll(() => readiness(behind)).toMatch(/^503 .*this machine's clock is 600 s behind Redis/);
    const metrics = await fetch(`http://127.0.0.1:${ahead.port}/metrics`);
    expect(Number(/^stampede_clock_skew_seconds (.+)$/m.exec(await metrics.text())?.[1])).toBeCloseTo(600, 0);
  });

  test('[P2][P3] tell every buyer the same time, and sell as ever', async () => {
    const buyers = [await Shopper.arrive(ahead.port, SHOW), await Shopper.arrive(behind.port, SHOW)];
    const orders: string[] = [];
    for (const [index, buyer] of buyers.entries()) {
      await buyer.admitted();
      const since = Date.now();
      const hold = await buyer.holds([index]);
      expect(hold.expiresAt).toBeGreaterThanOrEqual(since + HOLD_LIFETIME_MS - 1);
      expect(hold.expiresAt).toBeLessThanOrEqual(Date.now() + HOLD_LIFETIME_MS + 1);
      const order = await buyer.pays('key-of-an-intent');
      expect(order.createdAt).toBeGreaterThanOrEqual(since - 1);
      expect(order.createdAt).toBeLessThanOrEqual(Date.now() + 1);
      await until('it is confirmed', () => buyer.order(order.id)?.status === 'confirmed');
      orders.push(order.id);
      buyer.client.stop();
    }
    expect(faultsOf(await fleet.books(), orders)).toEqual([]);
  });
});
