import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { Fleet, type FleetNode, until } from '../../integration/stack/fleet.ts';
import { type PrivateParts, startPrivateParts } from './private-parts.ts';
import { newBearer, Shopper, type ShopperShow } from '../../../tools/shopper/shopper.ts';
import { visitedShow } from '../../integration/app-stand-show.ts';

const SECTION_SEATS = [40, 40];
const KEY = 'purchase-of-ana';
/** Longer than a payment may take, and the seats of a checkout are kept. */
const TO_THE_END_MS = 150_000;
const show = (id: number): ShopperShow => visitedShow(id, SECTION_SEATS);

let parts: PrivateParts;
let fleet: Fleet;
const buyers: Shopper[] = [];

beforeAll(async () => {
  parts = await startPrivateParts();
  fleet = await Fleet.prepare(
    parts,
    Array.from({ length: 4 }, () => ({ sectionSeats: SECTION_SEATS })),
  );
  await fleet.start('worker,scheduler');
});
afterEach(() => {
  for (const { client } of buyers.splice(0)) client.stop();
});
afterAll(async () => {
  await fleet.end();
  await parts.remove();
});

async function arrive(node: FleetNode, visited: ShopperShow, bearer?: string): Promise<Shopper> {
  const buyer = await Shopper.arriveInTime(node.port, visited, bearer);
  buyers.push(buyer);
  return buyer;
}

function checkout(buyer: Shopper, seats: readonly number[]) {
  return buyer.client.checkout({ idempotencyKey: KEY, amount: buyer.priceOf(seats) });
}

const ordersOf = ({ view }: Shopper): readonly OrderMessage[] => [...view.orders.values()];

/** Waits for the end of the buyer's only order, on the screen and in the books, and returns it. */
async function endOf(buyer: Shopper): Promise<OrderMessage> {
  const isOver = (): boolean => ordersOf(buyer).some(({ status }) => status !== 'processing');
  await until('the order ends', isOver, TO_THE_END_MS);
  expect(ordersOf(buyer)).toHaveLength(1);
  const [order] = ordersOf(buyer);
  const rows = (await fleet.books()).orders.filter(({ id }) => id === order?.id);
  expect(rows).toMatchObject([{ status: order?.status }]);
  return order!;
}

test('[P2] Redis freezes a hold after its buyer heard `busy`: handed over by itself, and told to its end', async () => {
  const node = await fleet.start('gateway');
  const ana = await (await arrive(node, show(1))).admitted();
  await ana.holds([5, 6]);
  // Redis has the script by now: a call needs no second one that would not be made.
  await ana.client.extend();
  process.kill(parts.redis.pid!, 'SIGSTOP');
  const answer = await checkout(ana, [5, 6]).finally(() => process.kill(parts.redis.pid!, 'SIGCONT'));
  expect(answer).toMatchObject({ ok: false, code: 'busy' });
  await until('the hold is frozen', () => ana.hold?.payment === 'handing-over');
  expect(ana.hold?.orderId).toBeNull();
  expect(ordersOf(ana)).toEqual([]);
  expect(await endOf(ana)).toMatchObject({ status: 'confirmed', seats: [5, 6] });
  await node.kill();
}, 200_000);

test('[P2] a gateway dies between freeze and log: no order is told until the log has it, and it ends', async () => {
  const [first, second] = await Promise.all([fleet.start('gateway'), fleet.start('gateway')]);
  const bearer = await newBearer(first.port);
  const ana = await (await arrive(first, show(2), bearer)).admitted();
  await ana.holds([5, 6]);
  await parts.kafka.kill();
  void checkout(ana, [5, 6]);
  await until('the hold is frozen', () => ana.hold?.payment === 'handing-over');
  await first.kill();
  ana.client.stop();
  const again = await arrive(second, show(2), bearer);
  expect(again.hold).toMatchObject({ payment: 'handing-over', orderId: null });
  expect(ordersOf(again)).toEqual([]);
  await parts.kafka.start();
  await until('its order is told', () => ordersOf(again).length + Number(again.hold?.orderId !== null) > 0);
  expect(['confirmed', 'voided']).toContain((await endOf(again)).status);
  await second.kill();
}, 200_000);

test('[P2] one key at two gateways whose log refuses: neither gives up what the other may have handed over', async () => {
  const [first, second] = await Promise.all([fleet.start('gateway'), fleet.start('gateway')]);
  const bearer = await newBearer(first.port);
  const ana = await (await arrive(first, show(3), bearer)).admitted();
  await ana.holds([5, 6]);
  const other = await arrive(second, show(3), bearer);
  await parts.kafka.kill();
  const answers = [checkout(ana, [5, 6])];
  await until('the hold is frozen', () => other.hold?.payment === 'handing-over');
  answers.push(checkout(other, [5, 6]));
  for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ ok: false, code: 'busy' });
  expect(await ana.client.release()).toMatchObject({ ok: false, code: 'in-checkout' });
  expect(await other.client.release()).toMatchObject({ ok: false, code: 'in-checkout' });
  await parts.kafka.start();
  expect(['confirmed', 'voided']).toContain((await endOf(ana)).status);
  await Promise.all([first.kill(), second.kill()]);
}, 200_000);
