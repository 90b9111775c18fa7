import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { KafkaOrderEvents } from '../../src/checkout/kafka-order-events.ts';
import type { PaymentLog, PaymentRequest } from '../../src/payment-log/payment-log.ts';
import { PaymentWorker } from '../../src/checkout/payment-worker.ts';
import { Settlements } from '../../src/checkout/settlements.ts';
import { SqlOrderStore } from '../../src/checkout/sql-order-store.ts';
import { machineOutside } from '../../src/platform/outside.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startKafka } from '../../tools/stack/private-servers.ts';
import { ScriptedGateway } from '../integration/checkout/scripted-gateway.ts';
import { KafkaStand } from './kafka/kafka-stand.ts';
import { paymentRequest } from './payment-requests.ts';
import { openTestDatabase, type TestDatabase } from './test-database.ts';

const PARTITIONS = 6;
const ORDERS = 60;
const TIMES = 10;

const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 45_000, interval: 20 });

function shuffled<T>(items: readonly T[]): T[] {
  const random = seededRandom(7);
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

let broker: NativeServer;
let stand: KafkaStand;
let stored: TestDatabase;
let gateway: ScriptedGateway;
const stops: (() => Promise<void>)[] = [];

beforeAll(async () => {
  broker = await startKafka();
});
afterAll(async () => {
  await broker.remove();
});
beforeEach(async () => {
  stand = await KafkaStand.open(broker.url, PARTITIONS);
  stored = await openTestDatabase();
  gateway = new ScriptedGateway(systemClock);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
  await stand.close();
  await stored.remove();
});

/** A worker as a process of its own would have it: only database, bank and Kafka are shared. */
async function startWorker(log: PaymentLog = stand.newLog()): Promise<void> {
  const orders = new SqlOrderStore(stored.database);
  const outside = machineOutside((message) => void stand.reports.push(message));
  const events = new KafkaOrderEvents(stand.topics.orderEvents.name, { outside, kafka: stand.kafka });
  const settlements = new Settlements({
    outside,
    orders,
    // Live seats are somebody else's: what they are told is taken for applied, by whatever rules.
    seats: { settle: async () => undefined, mend: async () => undefined } as never,
    seatRules: async () => ({}) as never,
    gateway,
    finished: async () => undefined,
    events,
  });
  const priceOf = async (): Promise<null> => null;
  const worker = new PaymentWorker({ outside, log, orders, gateway, settlements, priceOf });
  await worker.start();
  stops.push(async () => {
    await worker.stop();
    await events.close();
  });
}

const payable = (): PaymentRequest[] =>
  Array.from({ length: ORDERS }, () => paymentRequest({ payBy: Date.now() + 60_000 }));

/** Every order has one outcome, one charge and one ticket a seat; what Kafka was told agrees. */
async function expectSettledOnce(requests: readonly PaymentRequest[]): Promise<void> {
  const ids = requests.map(({ orderId }) => orderId);
  const orders = new SqlOrderStore(stored.database);
  const settled = await orders.byIds(ids);
  expect(settled).toHaveLength(ids.length);
  expect(settled.every(({ status, tickets }) => status === 'confirmed' && tickets.length === 1)).toBe(true);
  expect(new Set(settled.flatMap(({ tickets }) => tickets)).size).toBe(ids.length);
  expect(gateway.charged).toEqual(new Set(ids));
  expect(gateway.calls).not.toContain('void');
  const sold = await orders.soldSeats(requests[0]!.show);
  expect(sold.map(({ seat }) => seat).toSorted()).toEqual(requests.flatMap(({ seats }) => seats).toSorted());
  await eventually(async () => expect(await orders.pendingOutbox(10, 0)).toEqual([]));
  const told = await stand.recordsOf(stand.topics.orderEvents.name);
  expect(new Set(told.map(({ key }) => key))).toEqual(new Set(ids));
  for (const { value } of told) expect(JSON.parse(value)).toMatchObject({ status: 'confirmed' });
  for (const { value } of told) expect(value).not.toMatch(/session|ticket/);
}

describe('payments that come more than once', () => {
  test('[P2] ten records of each order, shuffled, through workers that come and go: settled once', async () => {
    const requests = payable();
    const records = shuffled(Array.from({ length: TIMES }, () => requests).flat());
    await startWorker();
    const log = stand.newLog();
    const third = Math.ceil(records.length / 3);
    await log.append(records.slice(0, third));
    await startWorker();
    await log.append(records.slice(third, 2 * third));
    await stops.shift()?.();
    await log.append(records.slice(2 * third));
    await eventually(async () => expect(await log.pending(requests[0]!.show)).toEqual([]));
    await expectSettledOnce(requests);
  });

  test('[P2] ten deliveries of each order at once, to two workers that know nothing of each other: settled once', async () => {
    const requests = payable();
    const repeating: PaymentLog = {
      append: async () => undefined,
      pending: async () => [],
      deadLetters: async () => [],
      replay: async () => 0,
      consume: async (handler) => {
        const batches = Array.from({ length: TIMES }, () => handler(shuffled(requests)));
        await Promise.all(batches);
        return async () => undefined;
      },
    };
    await Promise.all([startWorker(repeating), startWorker(repeating)]);
    await expectSettledOnce(requests);
  });
});
