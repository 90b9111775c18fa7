import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Kafka, logLevel } from 'kafkajs';
import { SEATS_PER_REQUEST_MAX } from '@stampede/shared/protocol/limits.ts';
import { HELD, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { kafkaTopics } from '../../../src/payment-log/kafka-topics.ts';
import { faultsOf } from './books.ts';
import { Fleet, type FleetNode, until } from './fleet.ts';
import { KeenBuyer } from './keen-buyer.ts';
import { LaterColumns, migrateOnwards, oldOrders } from './later-migration.ts';
import { emptyRedis, freshSharedParts, type SharedParts } from './shared-parts.ts';
import { newBearer, Shopper } from '../../../tools/shopper/shopper.ts';
import { visitedShow } from '../app-stand-show.ts';

const SECTION_SEATS = [20, 20];
const FREE = visitedShow(1, SECTION_SEATS);
const METERED = visitedShow(2, SECTION_SEATS);
const UNATTENDED = visitedShow(3, SECTION_SEATS);
const CROWDED = visitedShow(4, [400, 400]);

/** What the promise is, and what a test may insist on where other programs share two cores. */
const SOLD_SHOWN_WITHIN_MS = 200;
const SOLD_SHOWN_HARD_LIMIT_MS = 2_000;
const PURCHASES = 12;

const RATE = 10;
const BURST = 3;
const ADMITTED_MAX = 9;
const ADMISSION_LIFETIME_MS = 600_000;
const QUEUED = 14;

const CROWD = 8;
const OLD_ORDERS = 40_000;

let parts: SharedParts;
let fleet: Fleet;
let gateways: readonly [FleetNode, FleetNode];
let worker: FleetNode;

beforeAll(async () => {
  parts = await freshSharedParts();
  const metered = {
    admissionsPerSecond: RATE,
    admissionBurst: BURST,
    admittedMax: ADMITTED_MAX,
    admissionLifetimeMs: ADMISSION_LIFETIME_MS,
  };
  fleet = await Fleet.prepare(parts, [
    { sectionSeats: SECTION_SEATS },
    { sectionSeats: SECTION_SEATS, sale: metered },
    { sectionSeats: SECTION_SEATS },
    { sectionSeats: [400, 400], sale: { seatsPerBuyer: SEATS_PER_REQUEST_MAX } },
  ]);
  // The first to start sets the shows up and makes the topics; the others find them.
  worker = await fleet.start('worker,scheduler');
  gateways = await Promise.all([fleet.start('gateway,scheduler'), fleet.start('gateway,scheduler')]);
});
afterAll(async () => {
  await fleet.end();
  await parts.drop();
});

async function bothSides(show: typeof FREE): Promise<readonly [Shopper, Shopper]> {
  const [a, b] = gateways;
  return Promise.all([Shopper.arrive(a.port, show), Shopper.arrive(b.port, show)]);
}

describe('two gateways and a worker', () => {
  test('buyers on both see each other’s holds at once, and whose they are stays with their owner', async () => {
    const [ann, ben] = await bothSides(FREE);
    await Promise.all([ann.admitted(), ben.admitted()]);
    await ann.holds([0]);
    await ben.holds([21]);
    await until('both holds on both screens', () =>
      [ann, ben].every((buyer) => buyer.seatStatus(0) === HELD && buyer.seatStatus(21) === HELD),
    );
    expect(await ben.client.hold([0])).toMatchObject({ ok: false, code: 'seat-taken', seats: [0] });
    await Promise.all([ann.client.release(), ben.client.release()]);
    await until('free again on both', () =>
      [ann, ben].every((buyer) => buyer.seatStatus(0) === 0 && buyer.seatStatus(21) === 0),
    );
    for (const { client } of [ann, ben]) client.stop();
  });

  test('the worker’s SOLD is on both screens within 200 ms of the confirmation', async ({ annotate }) => {
    const lags: number[] = [];
    const watchers = await bothSides(FREE);
    for (let purchase = 0; purchase < PURCHASES; purchase++) {
      const seat = purchase;
      const buyer = await Shopper.arrive(gateways[purchase % 2]!.port, FREE);
      await buyer.admitted();
      await buyer.holds([seat]);
      let confirmedAt = 0;
      buyer.client.onChange((change) => {
        if (change.kind === 'order' && change.order.status === 'confirmed') confirmedAt ||= performance.now();
      });
      const shownAt = watchers.map((watcher) => {
        const { promise, resolve } = Promise.withResolvers<number>();
        const stop = watcher.client.onChange(() => {
          if (watcher.seatStatus(seat) !== SOLD) return;
          resolve(performance.now());
          stop();
        });
        return promise;
      });
      await buyer.pays(`purchase-${purchase}`);
      await until('confirmed', () => confirmedAt > 0);
      const hardLimit = new Promise<never>((_, reject) => {
        setTimeout(() => reject(new Error('SOLD was shown too late')), SOLD_SHOWN_HARD_LIMIT_MS).unref();
      });
      const lastShownAt = Math.max(...(await Promise.race([Promise.all(shownAt), hardLimit])));
      lags.push(lastShownAt - confirmedAt);
      buyer.client.stop();
    }
    for (const { client } of watchers) client.stop();
    const sorted = lags.toSorted((a, b) => a - b);
    const median = sorted[PURCHASES / 2] ?? Number.NaN;
    const slowest = sorted.at(-1) ?? Number.NaN;
    const figures = `median ${median.toFixed(0)} ms, slowest ${slowest.toFixed(0)} ms`;
    await annotate(`confirmation to SOLD on both gateways, ${parts.products}: ${figures}`);
    // Of a busy machine only the usual case can be demanded.
    expect(median).toBeLessThan(SOLD_SHOWN_WITHIN_MS);
  });

  test('[P4] a purchase begun on one gateway ends with the ticket on the other', async () => {
    const [a, b] = gateways;
    const bearer = await newBearer(a.port);
    const before = await Shopper.arrive(a.port, FREE, bearer);
    await before.admitted();
    const hold = await before.holds([30, 31]);
    before.client.stop();

    const between = await Shopper.arrive(b.port, FREE, bearer);
    expect(between.isAdmitted).toBe(true);
    expect(between.hold).toMatchObject({ holdToken: hold.holdToken, seats: [30, 31] });
    const order = await between.pays('moving-house');
    between.client.stop();

    const after = await Shopper.arrive(a.port, FREE, bearer);
    await until('the tickets', () => after.order(order.id)?.tickets.length === 2);
    expect(after.order(order.id)).toMatchObject({ status: 'confirmed', seats: [30, 31] });
    // The same intent, repeated wherever, is the same order.
    const repeated = await Shopper.arrive(b.port, FREE, bearer);
    expect([...repeated.view.orders.keys()]).toEqual([order.id]);
    expect(faultsOf(await fleet.books(), [order.id])).toEqual([]);
    for (const { client } of [after, repeated]) client.stop();
  });

  test('the topics were made as planned by whichever node came first', async () => {
    const admin = new Kafka({ brokers: [parts.kafkaBrokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { paymentRequests, deadLetters, orderEvents } = kafkaTopics(fleet.topicPrefix);
    const plans = [paymentRequests, deadLetters, orderEvents];
    const { topics } = await admin.fetchTopicMetadata({ topics: plans.map(({ name }) => name) });
    const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions.length]));
    expect(plans.map(({ name }) => partitions.get(name))).toEqual(plans.map((plan) => plan.partitions));
    await admin.disconnect();
  });
});

describe('roles', () => {
  test('four schedulers at once never admit more than rate and cap allow', async ({ annotate }) => {
    const fourth = await fleet.start('scheduler');
    const [a, b] = gateways;
    const buyers = await Promise.all(
      Array.from({ length: QUEUED }, (_, index) => Shopper.arrive(index % 2 ? a.port : b.port, METERED)),
    );
    await Promise.all(buyers.map(({ client }) => client.join()));
    const admitted = (): readonly Shopper[] => buyers.filter((buyer) => buyer.isAdmitted);
    await until('as many as the cap allows', () => admitted().length === ADMITTED_MAX);

    // The deadline tells when each was let in, by the clock of whichever node did it.
    const instants = admitted()
      .map(({ view }) => (view.standing.state === 'admitted' ? view.standing.deadline : 0))
      .map((deadline) => deadline - ADMISSION_LIFETIME_MS)
      .toSorted((x, y) => x - y);
    for (const [from, start] of instants.entries()) {
      for (const [to, end] of instants.entries()) {
        if (to < from) continue;
        expect(to - from + 1).toBeLessThanOrEqual(BURST + (RATE * (end - start)) / 1_000 + 0.001);
      }
    }
    // Tokens gather while the show is full; the cap holds all the same.
    const [leaver] = admitted();
    const waiting = buyers.filter((buyer) => !buyer.isAdmitted);
    await leaver?.client.leave();
    await until('the next one is let in', () => waiting.some((buyer) => buyer.isAdmitted));
    await until('positions moved up', () => buyers.every(({ positions }) => isFalling(positions)));
    expect(admitted()).toHaveLength(ADMITTED_MAX);
    const span = (instants.at(-1) ?? 0) - (instants[0] ?? 0);
    await annotate(`${ADMITTED_MAX} admitted by four schedulers over ${span} ms (${RATE}/s, burst ${BURST})`);
    for (const { client } of buyers) client.stop();
    expect(await fourth.stop()).toMatchObject({ code: 0 });
  });

  test('a node with one role does that and nothing else; a scheduler alone lets people in', async () => {
    // Shows of another Redis, where nobody but these two looks after them.
    const redisUrl = parts.redisUrl.replace(/\d+$/, '2');
    await emptyRedis(redisUrl);
    const others = { REDIS_URL: redisUrl, KAFKA_TOPIC_PREFIX: 'roles.' };
    const gateway = await fleet.start('gateway', others);
    const buyer = await Shopper.arrive(gateway.port, UNATTENDED);
    await buyer.client.join();
    await until('a position', () => buyer.positions.length > 0);
    expect(buyer.view.standing.state).toBe('waiting');

    const scheduler = await fleet.start('scheduler', others);
    await until('admitted', () => buyer.isAdmitted);
    expect(await scheduler.status('/api/shows')).toBe(404);
    expect(await worker.status('/api/shows')).toBe(404);
    expect(await worker.status('/healthz')).toBe(200);
    expect(await worker.status('/metrics')).toBe(200);

    // Without a worker an order is accepted and waits [P2].
    await buyer.holds([5]);
    const order = await buyer.pays('patience');
    expect(order.status).toBe('processing');
    const late = await fleet.start('worker', others);
    await until('the ticket', () => buyer.order(order.id)?.tickets.length === 1);
    buyer.client.stop();
    const ended = await Promise.all([gateway, scheduler, late].map((node) => node.stop()));
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0]);
  });
});

describe('an edit made in the database', () => {
  const edit = (change: string): Promise<void> =>
    fleet.runSql(
      `update shows set ${change} where id = ${UNATTENDED.id}`,
      'update catalog_version set version = version + 1',
    );

  test('a pause, its end and a closing reach the buyers of every node and stop what they do', async () => {
    const buyers = await bothSides(UNATTENDED);
    const allSee = (phase: string) => (): boolean => buyers.every(({ view }) => view.phase?.phase === phase);
    await until('open', allSee('open'));
    await Promise.all(buyers.map((buyer) => buyer.admitted()));
    await edit('paused = 1');
    await until('paused on every screen', allSee('paused'));
    for (const { client } of buyers) {
      expect(await client.hold([3])).toMatchObject({ ok: false, code: 'sale-paused' });
    }
    await edit('paused = 0');
    await until('open again', allSee('open'));
    await edit(`terms = json_set(terms, '$.closesAt', 1700000000000)`);
    await until('closed on every screen', allSee('closed'));
    for (const { client } of buyers) {
      expect(await client.hold([3])).toMatchObject({ ok: false, code: 'sale-closed' });
      client.stop();
    }
  });
});

// Last, because no node of this version would start on the tables of the next.
describe('while a crowd buys', () => {
  test('a schema migration runs, and no buyer sees an error', async ({ annotate }) => {
    // A history of some length, so that changing the table is some work.
    await fleet.runSql(...oldOrders(OLD_ORDERS));
    const crowd = await Promise.all(
      Array.from({ length: CROWD }, (_, index) =>
        KeenBuyer.start(gateways[index % 2]!.port, CROWDED, index + 1),
      ),
    );
    const confirmed = (): number => crowd.reduce((sum, buyer) => sum + buyer.confirmed, 0);
    await until('the crowd buys', () => confirmed() >= CROWD);
    const before = confirmed();
    const tookMs = await migrateOnwards(parts.databaseUrl, LaterColumns);
    const during = confirmed() - before;
    await until('the crowd buys on', () => confirmed() >= before + during + CROWD);
    await Promise.all(crowd.map((buyer) => buyer.finish()));
    await until('all is settled', () =>
      crowd.every(({ accepted, settled }) => settled.length === accepted.size),
    );
    await annotate(
      `migration of ${tookMs.toFixed(0)} ms on ${parts.products}: ${during} orders settled meanwhile`,
    );

    expect(crowd.flatMap(({ troubles }) => [...troubles])).toEqual([]);
    const accepted = crowd.flatMap((buyer) => [...buyer.accepted]);
    const books = await fleet.books();
    expect(faultsOf(books, accepted)).toEqual([]);
    expect(
      books.orders.filter(({ id }) => accepted.includes(id)).every(({ status }) => status === 'confirmed'),
    ).toBe(true);
    for (const { buyer } of crowd) buyer.client.stop();
  });
});

function isFalling(positions: readonly number[]): boolean {
  return positions.every((position, index) => index === 0 || position <= (positions[index - 1] ?? 0));
}
