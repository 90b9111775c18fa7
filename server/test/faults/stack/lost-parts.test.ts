import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AVAILABLE } from '@stampede/shared/seat-map/seat-status.ts';
import type { NativeServer } from '../../../tools/stack/native-server.ts';
import { faultsOf, soldSeatsOf } from '../../integration/stack/books.ts';
import { Fleet, type FleetNode, until } from '../../integration/stack/fleet.ts';
import { KeenBuyer } from '../../integration/stack/keen-buyer.ts';
import { emptyRedis } from '../../integration/stack/shared-parts.ts';
import { SEATS_PER_REQUEST_MAX } from '@stampede/shared/protocol/limits.ts';
import { TcpSwitch } from '../../integration/stack/tcp-switch.ts';
import { type PrivateParts, startPrivateParts } from './private-parts.ts';
import { Shopper, type ShopperShow } from '../../../tools/shopper/shopper.ts';
import { visitedShow } from '../../integration/app-stand-show.ts';

const SECTION_SEATS = [400, 400];
const SEATS = 800;
const show = (id: number): ShopperShow => visitedShow(id, SECTION_SEATS);
const EMPTIED = show(1);

/** One for each test: a buyer may have only so many seats of a show. */
const SHOWS = 4;
/** Lets one buyer in at a time, so that the others wait. */
const QUEUED = show(SHOWS + 1);
const IN_LINE = 6;

const KEEN_BUYERS = 10;
/** Purchases that show that selling goes on. */
const SOME_ORDERS = 10;

let parts: PrivateParts;
let fleet: Fleet;
let nodes: readonly FleetNode[];
let door: TcpSwitch;
const keen: KeenBuyer[] = [];
const everAccepted = new Set<string>();

beforeAll(async () => {
  parts = await startPrivateParts();
  const sale = { seatsPerBuyer: SEATS_PER_REQUEST_MAX };
  fleet = await Fleet.prepare(
    parts,
    [
      ...Array.from({ length: SHOWS }, () => ({ sectionSeats: SECTION_SEATS, sale })),
      { sectionSeats: SECTION_SEATS, sale: { ...sale, admittedMax: 1 } },
    ],
    { PAYMENT_SUCCESS_RATE: '0.9', PAYMENT_DELAY_MIN_MS: '200', PAYMENT_DELAY_MAX_MS: '900' },
  );
  const worker = await fleet.start('worker,scheduler');
  const gateways = await Promise.all([fleet.start('gateway,scheduler'), fleet.start('gateway,scheduler')]);
  nodes = [worker, ...gateways];
  door = await TcpSwitch.open(() => gateways.map(({ port }) => port));
});
afterEach(() => {
  for (const { buyer } of keen.splice(0)) buyer.client.stop();
});
afterAll(async () => {
  door.close();
  await fleet.end();
  await parts.remove();
});

const acceptedCount = (): number => keen.reduce((sum, { accepted }) => sum + accepted.size, 0);
const confirmedCount = (): number => keen.reduce((sum, { confirmed }) => sum + confirmed, 0);

async function startKeenBuyers(visited: ShopperShow): Promise<void> {
  const seeds = Array.from({ length: KEEN_BUYERS }, (_, index) => visited.id * 100 + index);
  keen.push(...(await Promise.all(seeds.map((seed) => KeenBuyer.start(door.port, visited, seed)))));
}

/** Orders that begin from now on are accepted and settled: the whole way works. Returns what that took. */
async function sellingGoesOn(): Promise<number> {
  const since = performance.now();
  const enough = acceptedCount() + SOME_ORDERS;
  await until('orders are accepted', () => acceptedCount() >= enough);
  const settled = confirmedCount() + SOME_ORDERS;
  await until('orders are settled', () => confirmedCount() >= settled);
  return performance.now() - since;
}

/** Lets everybody finish; then every promise must be kept, on screens and in the books. */
async function expectPromisesKept(visited: ShopperShow): Promise<void> {
  await Promise.all(keen.map((buyer) => buyer.finish()));
  for (const { accepted } of keen) for (const id of accepted) everAccepted.add(id);
  await until('every accepted order has its outcome on its buyer’s screen', () =>
    keen.every(({ accepted, settled }) => settled.length === accepted.size),
  );
  const books = await fleet.books();
  expect(faultsOf(books, everAccepted)).toEqual([]);
  const sold = soldSeatsOf(books, visited.id);
  await until('every screen shows what the database has sold', () =>
    keen.every(({ buyer }) => buyer.soldSeats().join() === sold.join()),
  );
}

/** A seat that is on sale, as far as a buyer can see. */
function pickOf(buyer: Shopper): number {
  return (
    Array.from({ length: SEATS }, (_, seat) => seat).findLast(
      (seat) => buyer.seatStatus(seat) === AVAILABLE,
    ) ?? 0
  );
}

/** What went wrong for buyers, by code. */
function troubles(): string {
  const codes = keen.flatMap((buyer) => [...buyer.troubles]);
  const sums = Map.groupBy(codes, ([code]) => code);
  return [...sums]
    .map(([code, all]) => `${code} ${all.reduce((sum, [, count]) => sum + count, 0)}`)
    .join(', ');
}

describe('an outside part that loses its data', () => {
  test('[P1] [P3] [P5] Redis: shows come back from MySQL, in another epoch, and selling goes on', async ({
    annotate,
  }) => {
    await startKeenBuyers(EMPTIED);
    await sellingGoesOn();
    // Somebody who takes their time.
    const quiet = await (await Shopper.arriveInTime(door.port, EMPTIED)).admitted();
    await until('a seat is held', async () => (await quiet.client.hold([pickOf(quiet)])).ok);
    const deadline = deadlineOf(quiet);
    const epochs = keen.map(({ buyer }) => buyer.view.sale?.epoch ?? 0);
    const since = performance.now();
    await emptyRedis(parts.redisUrl);
    await until('every buyer hears of the new epoch', () =>
      keen.every(({ buyer }, index) => (buyer.view.sale?.epoch ?? 0) > (epochs[index] ?? 0)),
    );
    const renewed = performance.now() - since;
    const resumed = await sellingGoesOn();
    await until('a hold that is lost is on no screen', () => quiet.hold === null);
    await until('an admission that is lost is given anew', () => deadlineOf(quiet) > deadline);
    quiet.client.stop();
    await annotate(
      `${parts.products}: new epoch after ${renewed.toFixed(0)} ms, ${SOME_ORDERS} orders ${resumed.toFixed(0)} ms later; buyers were told: ${troubles()}`,
    );
    await expectPromisesKept(EMPTIED);
    // Nothing but "busy" was said meanwhile, and its like: who heard it while paying may have an order under way.
    const codes = new Set(keen.flatMap(({ troubles }) => [...troubles.keys()]));
    expect([...codes].filter((code) => code !== 'busy' && code !== 'in-checkout')).toEqual([]);
    // Seats that nobody holds or owns are on sale, whoever held them before.
    const newcomer = await (await Shopper.arriveInTime(door.port, EMPTIED)).admitted();
    const sold = new Set(newcomer.soldSeats());
    const free = Array.from({ length: SEATS }, (_, seat) => seat).filter((seat) => !sold.has(seat));
    for (const seat of free.slice(0, 4)) await newcomer.holds([seat]);
    newcomer.client.stop();
  });
});

describe('a waiting room that is lost', () => {
  test('[P4] buyers are in line again in their order, who had been let in first, newcomers last', async () => {
    const line: Shopper[] = [];
    for (let place = 0; place < IN_LINE; place++) {
      const buyer = await Shopper.arriveInTime(door.port, QUEUED);
      line.push(buyer);
      expect(await buyer.client.join()).toMatchObject({ ok: true });
      await until('in line', () => (place === 0 ? buyer.isAdmitted : positionOf(buyer) === place));
    }
    const [first, ...rest] = line as [Shopper, ...Shopper[]];
    const deadline = deadlineOf(first);
    await emptyRedis(parts.redisUrl);
    await until('who was in is in line again', () => positionOf(first) === 1);
    const newcomer = await Shopper.arriveInTime(door.port, QUEUED);
    await until('a newcomer has a place', async () => (await newcomer.client.join()).ok);
    await until('who was in is in again', () => deadlineOf(first) > deadline);
    await until('everybody is where they were', () =>
      [...rest, newcomer].every((buyer, index) => positionOf(buyer) === index + 1),
    );
    for (const { client } of [...line, newcomer]) client.stop();
  });
});

function positionOf({ view: { standing } }: Shopper): number {
  return standing.state === 'waiting' ? standing.position : 0;
}

function deadlineOf({ view: { standing } }: Shopper): number {
  return standing.state === 'admitted' ? standing.deadline : 0;
}

describe('an outside part that goes away and comes back', () => {
  const PARTS: readonly (readonly [string, ShopperShow, () => NativeServer])[] = [
    ['Redis', show(2), () => parts.redis],
    ['MySQL', show(3), () => parts.database],
    ['Kafka', show(4), () => parts.kafka],
  ];

  test.for(PARTS)(
    '[P1] [P2] %s, killed: no node goes down with it, no accepted order is lost, selling goes on',
    async ([name, visited, server], { annotate }) => {
      await startKeenBuyers(visited);
      await sellingGoesOn();
      const before = new Map(keen.flatMap(({ troubles }) => [...troubles]));
      expect([...before.keys()].filter((code) => code !== 'busy')).toEqual([]);
      await server().kill();
      await until('the nodes say that they miss it', async () => {
        const statuses = await Promise.all(nodes.map((node) => node.status('/readyz')));
        return name === 'Kafka' || statuses.every((status) => status === 503);
      });
      expect(await Promise.all(nodes.map((node) => node.status('/healthz')))).toEqual([200, 200, 200]);
      await server().start();
      const since = performance.now();
      await Promise.all(nodes.map((node) => node.ready()));
      await sellingGoesOn();
      const took = performance.now() - since;
      await annotate(
        `${server().product} came back; ${SOME_ORDERS} orders were settled ${took.toFixed(0)} ms later; buyers were told: ${troubles()}`,
      );
      expect(nodes.map((node) => node.isAlive)).toEqual([true, true, true]);
      await expectPromisesKept(visited);
    },
  );
});

describe('outside parts that are not there yet', () => {
  test('a node waits for each, says so in one line that names the setting, and then comes up', async () => {
    const late = new Map([
      ['DATABASE_URL', parts.database],
      ['REDIS_URL', parts.redis],
      ['KAFKA_BROKERS', parts.kafka],
    ]);
    await Promise.all([...late.values()].map((server) => server.kill()));
    const node = await fleet.launch('gateway,worker,scheduler');
    for (const [name, server] of late) {
      const waiting = new RegExp(`"${name}: [^"]*ECONNREFUSED[^"]*trying again in \\d+ ms"`);
      await until(`the node waits for ${name}`, () => waiting.test(node.output));
      expect(await node.status('/healthz')).toBe(0);
      await server.start();
    }
    await node.ready();
    const buyer = await (await Shopper.arriveInTime(node.port, show(1))).admitted();
    expect(buyer.soldSeats().length).toBeGreaterThan(SOME_ORDERS);
    buyer.client.stop();

    for (const { password } of [parts.redisUrl, parts.databaseUrl].map((url) => new URL(url))) {
      expect(node.output).not.toContain(password);
    }
  });
});
