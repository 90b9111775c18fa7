import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { SEATS_PER_REQUEST_MAX } from '@stampede/shared/protocol/limits.ts';
import { differencesOf, reconcileShow } from '../../../src/sale/reconcile-show.ts';
import { showId } from '../../../src/platform/ids.ts';
import { openBooks } from '../../../tools/reconcile/reconcile-books.ts';
import { keepFile } from '../../contracts/redis/kept-file.ts';
import { faultsOf, soldSeatsOf } from '../../integration/stack/books.ts';
import { Fleet, type FleetNode, until } from '../../integration/stack/fleet.ts';
import { KeenBuyer } from '../../integration/stack/keen-buyer.ts';
import { emptyRedis } from '../../integration/stack/shared-parts.ts';
import { TcpSwitch } from '../../integration/stack/tcp-switch.ts';
import { type PrivateParts, startPrivateParts } from './private-parts.ts';
import { Shopper, type ShopperShow } from '../../../tools/shopper/shopper.ts';
import { visitedShow } from '../../integration/app-stand-show.ts';

const SECTION_SEATS = [400, 400];
const show = (id: number): ShopperShow => visitedShow(id, SECTION_SEATS);
const SHOWS = 2;

const KEEN_BUYERS = 8;
const SEED = 20261121;
/** What befalls Redis in a running sale, one after the other. */
const BLOWS = 6;
/** Purchases between two of them. */
const SOME_ORDERS = 8;

let parts: PrivateParts;
let fleet: Fleet;
let nodes: readonly FleetNode[];
let door: TcpSwitch;

beforeAll(async () => {
  parts = await startPrivateParts();
  const sale = { seatsPerBuyer: SEATS_PER_REQUEST_MAX };
  fleet = await Fleet.prepare(
    parts,
    Array.from({ length: SHOWS }, () => ({ sectionSeats: SECTION_SEATS, sale })),
    { PAYMENT_SUCCESS_RATE: '1', PAYMENT_DELAY_MIN_MS: '20', PAYMENT_DELAY_MAX_MS: '200' },
  );
  nodes = await Promise.all([
    fleet.start('worker,scheduler'),
    fleet.start('gateway,scheduler'),
    fleet.start('gateway,scheduler'),
  ]);
  door = await TcpSwitch.open(() => nodes.slice(1).map(({ port }) => port));
});
afterAll(async () => {
  door.close();
  await fleet.end();
  await parts.remove();
});

const isBack = (): Promise<unknown> => Promise.all(nodes.map((node) => node.ready()));

/** Live seats are what the database says, on every screen and in Redis. */
async function expectLiveIsDatabase(id: number, screens: readonly Shopper[]): Promise<void> {
  const sold = soldSeatsOf(await fleet.books(), id);
  await until('every screen shows what the database has sold', () =>
    screens.every((buyer) => buyer.soldSeats().join() === sold.join()),
  );
  const books = await openBooks({ REDIS_URL: parts.redisUrl, DATABASE_URL: parts.databaseUrl });
  try {
    const found = await reconcileShow(books, showId(id));
    expect({ isOpen: found.isOpen, differences: differencesOf(found) }).toEqual({
      isOpen: true,
      differences: 0,
    });
  } finally {
    await books.close();
  }
}

test('[P1] [P3] Redis comes back without the last sale: its seats stay sold, nobody can hold or pay for them', async () => {
  const ana = await (await Shopper.arrive(door.port, show(1))).admitted();
  const putBack = await keepFile(parts.redis);
  await ana.holds([5, 6]);
  const { id } = await ana.pays('purchase-ana');
  await until('she has her tickets', () => ana.order(id)?.status === 'confirmed');
  await putBack();
  await isBack();

  const ben = await Shopper.arriveInTime(door.port, show(1));
  await until('he is admitted', async () => {
    await ben.client.join();
    return ben.isAdmitted;
  });
  await until('the seats are sold on his screen', () =>
    [5, 6].every((seat) => ben.seatStatus(seat) === SOLD),
  );
  await until('and can’t be held', async () => {
    const answer = await ben.client.hold([5]);
    return !answer.ok && answer.code === 'seat-taken';
  });
  await until('others can', async () => (await ben.client.hold([7])).ok);
  await expectLiveIsDatabase(1, [ana, ben]);
  for (const buyer of [ana, ben]) buyer.client.stop();
});

test(`[P1] [P2] Redis killed, emptied and set back at random in a running sale (seed ${SEED}): live is database`, async ({
  annotate,
}) => {
  const random = seededRandom(SEED);
  const visited = show(2);
  const keen = await Promise.all(
    Array.from({ length: KEEN_BUYERS }, (_, index) => KeenBuyer.start(door.port, visited, index)),
  );
  const acceptedCount = (): number => keen.reduce((sum, { accepted }) => sum + accepted.size, 0);
  const sellingGoesOn = async (): Promise<void> => {
    const enough = acceptedCount() + SOME_ORDERS;
    await until('orders are accepted', () => acceptedCount() >= enough);
  };
  const blows: string[] = [];
  for (let blow = 0; blow < BLOWS; blow++) {
    await sellingGoesOn();
    const choice = random();
    if (choice < 0.3) {
      blows.push('killed');
      await parts.redis.kill();
      await parts.redis.start();
    } else if (choice < 0.5) {
      blows.push('emptied');
      await emptyRedis(parts.redisUrl);
    } else {
      blows.push('set back');
      const putBack = await keepFile(parts.redis);
      await sellingGoesOn();
      await putBack();
    }
    await isBack();
  }
  await sellingGoesOn();
  await Promise.all(keen.map((buyer) => buyer.finish()));
  await until('every accepted order has its outcome on its buyer’s screen', () =>
    keen.every(({ accepted, settled }) => settled.length === accepted.size),
  );
  const accepted = keen.flatMap((buyer) => [...buyer.accepted]);
  expect(faultsOf(await fleet.books(), accepted)).toEqual([]);
  await expectLiveIsDatabase(
    visited.id,
    keen.map(({ buyer }) => buyer),
  );
  await annotate(`${parts.products}: ${blows.join(', ')}; ${accepted.length} orders were accepted`);
  expect(nodes.map((node) => node.isAlive)).toEqual([true, true, true]);
  for (const { buyer } of keen) buyer.client.stop();
}, 180_000);
