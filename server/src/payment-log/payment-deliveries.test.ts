import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import type { KafkaMessage } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { holdToken, orderId, sessionId, showId } from '../platform/ids.ts';
import { type KafkaPlace, KafkaProgress } from './kafka-consumer-group.ts';
import {
  type DeadLetterReason,
  NEWER_LEFT_MS,
  type PaymentCount,
  PaymentDeliveries,
} from './payment-deliveries.ts';
import { type PaymentRecord, PaymentRecords } from './payment-record.ts';

/** Longer than any wait before a redelivery. */
const REDELIVERY_MS_MAX = 30_000;

const records = new PaymentRecords([Buffer.from('ours')]);

/** A message whose text one of ours wrote, in the form of a version. */
function sealed(content: string, offset: number, version = 1) {
  const { schema, text, mac } = records.seal(content, version);
  return {
    key: Buffer.from('key'),
    value: Buffer.from(text),
    headers: { schema, mac },
    offset: String(offset),
    timestamp: '0',
    attributes: 0,
  } satisfies KafkaMessage;
}

function message(order: string, offset: number, version = 1) {
  const request = {
    orderId: orderId(order),
    show: showId(1),
    session: sessionId('s'),
    holdToken: holdToken(1),
    idempotencyKey: 'k',
    seats: [1],
    amount: 1,
    currency: 'EUR',
    createdAt: 0,
    payBy: 60_000,
  };
  return sealed(records.write(request).text, offset, version);
}

function recordOf({ headers, value }: KafkaMessage): PaymentRecord {
  const header = (name: string): string => headers?.[name]?.toString() ?? '';
  return { schema: header('schema'), text: value?.toString() ?? '', mac: header('mac') };
}

/** Deliveries to a handler that fails for the orders it is told to, or for all. */
function stand() {
  const clock = new ManualClock();
  const batches: string[][] = [];
  const buried: [offset: string, reason: DeadLetterReason][] = [];
  const counts = new Map<PaymentCount, number>();
  const failing = new Set<string>();
  const state = { isDown: false, cannotBury: false, burying: Promise.resolve<unknown>(null), hasRoom: true };
  const givenUp: string[] = [];
  const progress = new KafkaProgress();
  const deliveries: PaymentDeliveries<KafkaPlace> = new PaymentDeliveries({
    giveUp: async ({ orderId: order }) => {
      if (state.isDown) throw new Error('the database is down');
      givenUp.push(order);
    },
    handler: async (requests) => {
      const orders = requests.map((request) => request.orderId as string);
      batches.push(orders);
      if (state.isDown || orders.some((order) => failing.has(order))) throw new Error('not settled');
    },
    consumed: (places) => progress.settle(places),
    bury: async (places, reason) => {
      if (state.cannotBury) throw new Error('Kafka is away');
      await state.burying;
      buried.push([places[0]?.message.offset ?? '', reason]);
      progress.settle(places);
    },
    settled: () => void (state.hasRoom = !deliveries.isFull),
    count: (what, payments) => void counts.set(what, (counts.get(what) ?? 0) + payments),
    outside: { clock, random: seededRandom(1), nextTurn: setImmediate, report: () => undefined },
  });
  const take = (partition: number, messages: readonly KafkaMessage[]): void => {
    const places = progress.take(partition, messages);
    deliveries.take(places.map((place) => ({ place, reading: records.read(recordOf(place.message)) })));
  };
  const startOver = (): void => {
    deliveries.startOver();
    progress.startOver();
  };
  let offset = 1_000;
  /** Lets everything that fell due happen, `times` redeliveries one after another. */
  const pass = async (times = 1): Promise<void> => {
    for (let time = 0; time < times; time++) {
      await turn();
      clock.advance(REDELIVERY_MS_MAX);
      await turn();
    }
  };
  /** The same, while other payments succeed. */
  const passWithOthers = async (times: number): Promise<void> => {
    for (let time = 0; time < times; time++) {
      offset += 1;
      take(9, [message(`other-${String(offset)}`, offset)]);
      await pass();
    }
  };
  return {
    deliveries,
    progress,
    take,
    startOver,
    clock,
    givenUp,
    batches,
    buried,
    counts,
    failing,
    state,
    pass,
    passWithOthers,
  };
}

describe('deliveries of payments from Kafka', () => {
  test('[P2] an order that comes ten times is handed over once, and all its records are committed', async () => {
    const { take, progress, batches, counts, pass } = stand();
    for (let offset = 0; offset < 5; offset++) take(0, [message('a', offset)]);
    await pass();
    for (let offset = 5; offset < 10; offset++) take(0, [message('a', offset)]);
    expect(batches).toEqual([['a']]);
    expect(counts.get('duplicate')).toBe(9);
    expect(progress.committable()).toEqual(new Map([[0, 10]]));
  });

  test('[P2] while nothing succeeds, no payment is put aside however often it fails', async () => {
    const { take, progress, batches, buried, state, pass } = stand();
    state.isDown = true;
    take(
      0,
      Array.from({ length: 40 }, (_, offset) => message(`o${String(offset)}`, offset)),
    );
    await pass(50);
    expect(buried).toEqual([]);
    state.isDown = false;
    await pass(2);
    expect(progress.committable()).toEqual(new Map([[0, 40]]));
    // Nor may its trouble make thousands of deliveries.
    expect(batches.length).toBeLessThan(50 * 70);
  });

  test('a payment that fails alone while others succeed goes to the dead letters', async () => {
    const { take, progress, buried, counts, failing, passWithOthers } = stand();
    failing.add('bad');
    take(0, [message('good', 0), message('bad', 1), message('fine', 2)]);
    await passWithOthers(12);
    expect(buried).toEqual([['1', 'failing']]);
    expect(counts.get('dead-letter-failing')).toBe(1);
    expect(progress.committable().get(0)).toBe(3);
  });

  test('[P2] a payment that fails alone, with no other to compare it with, is given an end and put aside at last', async () => {
    const { take, progress, buried, failing, givenUp, pass } = stand();
    failing.add('bad');
    take(0, [message('bad', 0)]);
    await pass(10);
    expect(buried).toEqual([]);
    await pass(20);
    expect(givenUp).toEqual(['bad']);
    expect(buried).toEqual([['0', 'failing']]);
    expect(progress.committable()).toEqual(new Map([[0, 1]]));
  });

  test('a payment that was put aside is handed over when it is replayed', async () => {
    const { take, progress, batches, failing, pass, passWithOthers } = stand();
    failing.add('bad');
    take(0, [message('bad', 0)]);
    await passWithOthers(12);
    failing.clear();
    take(0, [message('bad', 1)]);
    await pass();
    expect(batches.at(-1)).toEqual(['bad']);
    expect(progress.committable().get(0)).toBe(2);
  });

  test('a record nobody can read goes to the dead letters at once, and blocks nothing', async () => {
    const { take, progress, buried, pass } = stand();
    const unreadable = sealed('{', 1);
    const empty = { ...sealed('', 2), value: null };
    take(0, [message('a', 0), unreadable, empty, message('b', 3)]);
    await pass();
    expect(buried.map(([offset]) => offset)).toEqual(['1', '2']);
    expect(progress.committable()).toEqual(new Map([[0, 4]]));
  });

  test('[P2] a payment of a newer version is left to its workers, and the others go on', async () => {
    const { take, progress, batches, buried, counts, pass } = stand();
    take(0, [message('a', 0), message('newer', 1, 2), message('b', 2)]);
    await pass(3);
    expect(batches.flat()).toEqual(['a', 'b']);
    expect(buried).toEqual([]);
    expect(counts.get('left-to-newer')).toBe(1);
    // Not committed past it: whoever takes the partition over gets it.
    expect(progress.committable()).toEqual(new Map([[0, 1]]));
  });

  test('[P7] no worker of a newer version for so long: its payment is put aside, and what was behind it committed', async () => {
    const { take, progress, buried, clock, pass } = stand();
    take(0, [message('newer', 0, 2), message('b', 1)]);
    await pass();
    clock.advance(NEWER_LEFT_MS);
    await pass();
    expect(buried).toEqual([['0', 'newer']]);
    expect(progress.committable()).toEqual(new Map([[0, 2]]));
  });

  test('[P6] what none of ours wrote is put aside at once, and nobody is charged or told an end', async () => {
    const { take, givenUp, batches, buried, pass } = stand();
    const changed = message('changed', 0);
    const text = changed.value.toString().replace('"amount":1', '"amount":9');
    const unsealed = { ...message('unsealed', 1), headers: { schema: 'payment-request/1' } };
    const foreign = {
      ...message('newer', 2, 2),
      headers: { schema: 'payment-request/2', mac: 'x'.repeat(43) },
    };
    take(0, [{ ...changed, value: Buffer.from(text) }, unsealed, foreign]);
    await pass();
    expect(batches).toEqual([]);
    expect(givenUp).toEqual([]);
    expect(buried.map(([, reason]) => reason)).toEqual(['forged', 'forged', 'forged']);
  });

  test('[P2] a payment that is put aside for failing is given an end first', async () => {
    const { take, givenUp, failing, passWithOthers } = stand();
    failing.add('bad');
    take(0, [message('bad', 0)]);
    await passWithOthers(12);
    expect(givenUp).toEqual(['bad']);
  });

  test('tells when the oldest payment that waits was accepted', async () => {
    const { take, deliveries, state, pass } = stand();
    expect(deliveries.oldestAt).toBeNull();
    state.isDown = true;
    take(0, [message('a', 0), message('b', 1)]);
    await pass();
    expect(deliveries.oldestAt).toBe(0);
    state.isDown = false;
    await pass(2);
    expect(deliveries.oldestAt).toBeNull();
  });

  test('[P2] what cannot be put aside is not committed either', async () => {
    const { take, progress, buried, state, pass } = stand();
    state.cannotBury = true;
    take(0, [sealed('{', 0)]);
    await pass(3);
    expect(progress.committable()).toEqual(new Map());
    state.cannotBury = false;
    await pass();
    expect(buried).toHaveLength(1);
    expect(progress.committable()).toEqual(new Map([[0, 1]]));
  });

  test('[P2] after partitions were dealt anew, only what came since is committed', async () => {
    const { take, startOver, progress, batches, failing, pass } = stand();
    failing.add('slow');
    take(0, [message('slow', 0), message('quick', 1)]);
    take(1, [message('lost', 0)]);
    await pass();
    startOver();
    expect(progress.committable()).toEqual(new Map());
    // The partition that stayed is read again from its last commit; the other is somebody else's now.
    take(0, [message('slow', 0), message('quick', 1)]);
    failing.clear();
    await pass(2);
    expect(progress.committable()).toEqual(new Map([[0, 2]]));
    expect(batches.flat().filter((order) => order === 'lost')).toHaveLength(1);
  });

  test('what failed and went to another consumer is not delivered here again', async () => {
    const { take, startOver, batches, failing, pass } = stand();
    failing.add('theirs');
    take(0, [message('theirs', 0)]);
    await turn();
    startOver();
    await pass(3);
    expect(batches).toEqual([['theirs']]);
  });

  test('[P2] tells that there is room again when what filled it went to another consumer', async () => {
    const { take, startOver, state, pass } = stand();
    state.isDown = true;
    take(
      0,
      Array.from({ length: 5_000 }, (_, offset) => message(`o${String(offset)}`, offset)),
    );
    await turn();
    startOver();
    expect(state.hasRoom).toBe(false);
    await pass(2);
    expect(state.hasRoom).toBe(true);
  });

  test('[P2] a record that comes while its payment is being put aside holds up no commit', async () => {
    const { take, startOver, progress, buried, failing, state, passWithOthers } = stand();
    const gate = Promise.withResolvers<undefined>();
    state.burying = gate.promise;
    failing.add('bad');
    take(0, [message('bad', 0)]);
    await passWithOthers(12);
    expect(buried).toEqual([]);
    startOver();
    take(0, [message('bad', 0), message('good', 1)]);
    gate.resolve(undefined);
    await turn();
    expect(buried).toEqual([['0', 'failing']]);
    expect(progress.committable().get(0)).toBe(2);
  });

  test('offsets that go back, as of a topic made anew, are delivered and counted from there', async () => {
    const { take, progress, batches, pass } = stand();
    take(0, [message('a', 500)]);
    await pass();
    take(0, [message('b', 0)]);
    await pass();
    expect(batches.flat()).toEqual(['a', 'b']);
    expect(progress.committable()).toEqual(new Map([[0, 1]]));
  });

  test('[P7] takes no more than it can keep, and again when there is room', async () => {
    const { take, deliveries, state, pass } = stand();
    state.isDown = true;
    take(
      0,
      Array.from({ length: 5_000 }, (_, offset) => message(`o${String(offset)}`, offset)),
    );
    expect(deliveries.isFull).toBe(true);
    state.isDown = false;
    await pass(2);
    expect(deliveries.isFull).toBe(false);
  });

  test('stopping delivers nothing more', async () => {
    const { take, deliveries, batches, failing, pass } = stand();
    failing.add('bad');
    take(0, [message('bad', 0)]);
    await turn();
    await deliveries.stop();
    take(0, [message('late', 1)]);
    await pass(2);
    expect(batches).toEqual([['bad']]);
  });
});
