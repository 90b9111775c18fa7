import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import type { KafkaPaymentLog } from '../../src/payment-log/kafka-payment-log.ts';
import { AppendRefusedError, type PaymentRequest } from '../../src/payment-log/payment-log.ts';
import { connectKafka, type KafkaSettings } from '../../src/platform/kafka.ts';
import { createLogger } from '../../src/platform/logger.ts';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startKafka } from '../../tools/stack/private-servers.ts';
import { KafkaStand, settingsOf } from './kafka/kafka-stand.ts';
import { nextRecords, paymentRequest } from './payment-requests.ts';

const PARTITIONS = 6;
/** How long a broker still hangs after the sender gave up: until kafkajs has, too. */
const HANGS_ON_MS = 4_000;
const STUCK_MS = 8_000;
const IMPATIENT = { requestTimeout: 300, retry: { retries: 1 }, logLevel: logLevel.NOTHING };
const STUCK_WORKER = new URL('kafka/stuck-worker.ts', import.meta.url).pathname;

/** Longer than a broker takes to start and a group to notice a dead member, on a slow machine. */
const eventually = (check: () => void | Promise<void>) =>
  vi.waitFor(check, { timeout: 45_000, interval: 20 });

const several = (count: number): PaymentRequest[] => Array.from({ length: count }, () => paymentRequest());
const idsOf = (requests: readonly PaymentRequest[]) => requests.map(({ orderId }) => orderId);

let broker: NativeServer;
let stand: KafkaStand;
const stops: (() => Promise<void>)[] = [];
const children: { kill: (signal: 'SIGKILL') => boolean }[] = [];

beforeAll(async () => {
  broker = await startKafka();
});
afterAll(async () => {
  await broker.remove();
});
beforeEach(async () => {
  stand = await KafkaStand.open(broker.url, PARTITIONS);
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const stop of stops.splice(0)) await stop();
  await stand.close();
});

async function consume(log: KafkaPaymentLog, handle: (requests: readonly PaymentRequest[]) => Promise<void>) {
  const stop = await log.consume(handle);
  stops.push(stop);
  return stop;
}

/** Consumes what comes; the set is of the orders that were handled. */
async function collect(log: KafkaPaymentLog) {
  const handled = new Set<string>();
  const stop = await consume(log, async (requests) => {
    for (const id of idsOf(requests)) handled.add(id);
  });
  return { handled, stop };
}

describe('workers on Kafka', () => {
  test('[P2] two workers share the payments, and when one leaves the other has them all', async () => {
    const log = stand.newLog();
    const { handled: ours } = await collect(log);
    const { handled: theirs, stop: leave } = await collect(stand.newLog());
    const first: PaymentRequest[] = [];
    await eventually(async () => {
      const more = several(20);
      first.push(...more);
      await log.append(more);
      expect(Math.min(ours.size, theirs.size)).toBeGreaterThan(0);
    });
    await eventually(() => expect(ours.union(theirs)).toEqual(new Set(idsOf(first))));
    await leave();
    const then = several(60);
    await log.append(then);
    await eventually(() => expect([...ours]).toEqual(expect.arrayContaining(idsOf(then))));
  });

  test('[P2] payments of a worker that was killed go to another', async () => {
    const log = stand.newLog();
    const child = spawn(process.execPath, [STUCK_WORKER, broker.url, stand.prefix]);
    children.push(child);
    let said = '';
    child.stdout.on('data', (text: Buffer) => (said += text.toString()));
    const requests = several(50);
    await log.append(requests);
    await eventually(() => expect(said.trim().split('\n')).toHaveLength(requests.length));
    child.kill('SIGKILL');
    const { handled } = await collect(log);
    await eventually(() => expect(handled).toEqual(new Set(idsOf(requests))));
  });

  test('[P7] a worker that is stuck takes a bounded number of payments, and all when it goes on', async () => {
    const log = stand.newLog();
    const requests = several(12_000);
    await log.append(requests);
    const gate = Promise.withResolvers<undefined>();
    let taken = 0;
    const handled = new Set<string>();
    await consume(log, async (batch) => {
      taken += batch.length;
      await gate.promise;
      for (const id of idsOf(batch)) handled.add(id);
    });
    await eventually(() => expect(taken).toBeGreaterThan(4_000));
    // Longer than the group lets a silent member be: waiting must not cost the membership.
    await new Promise<void>((resume) => void systemClock.after(STUCK_MS, resume));
    expect(taken).toBeLessThan(10_000);
    gate.resolve(undefined);
    await eventually(() => expect(handled.size).toBe(requests.length));
    expect(taken).toBe(requests.length);
    await eventually(async () => expect(await log.pending(requests[0]!.show)).toEqual([]));
    expect(stand.reports).toEqual([]);
  });

  test('[P2] what one worker could not settle before it stopped, the next one gets', async () => {
    const log = stand.newLog();
    const stop = await consume(log, async () => {
      throw new Error('the database is away');
    });
    const requests = several(30);
    await log.append(requests);
    await eventually(() => expect(stand.reports.length).toBeGreaterThan(0));
    await stop();
    const { handled } = await collect(stand.newLog());
    await eventually(() => expect(handled).toEqual(new Set(idsOf(requests))));
  });
});

describe('a broker that fails', () => {
  test('[P2] killed and started again: what was acknowledged is settled, what was refused never comes', async () => {
    const log = stand.newLog();
    await log.open();
    const { handled } = await collect(log);
    const fates = { taken: new Set<string>(), refused: new Set<string>() };
    const append = async (): Promise<void> => {
      const request = paymentRequest();
      await log.append([request]).then(
        () => fates.taken.add(request.orderId),
        (cause: unknown) => cause instanceof AppendRefusedError && fates.refused.add(request.orderId),
      );
    };
    for (let count = 0; count < 100; count++) await append();
    await broker.kill();
    await eventually(async () => {
      await append();
      expect(fates.refused.size).toBeGreaterThan(0);
    });
    const refusedAt = performance.now();
    await append();
    expect(performance.now() - refusedAt).toBeLessThan(1_000);
    await broker.start();
    const before = fates.taken.size;
    await eventually(async () => {
      await append();
      expect(fates.taken.size).toBeGreaterThan(before + 10);
    });
    await eventually(() => expect([...handled]).toEqual(expect.arrayContaining([...fates.taken])));
    expect(fates.refused.intersection(handled)).toEqual(new Set());
  });

  test('[P2] hanging: the fate of a payment is unknown in time, and those after it are not lost', async () => {
    // A client that gives up while the broker hangs. The next record on the same connection would get the numbers of
    // the one before, and the broker, once awake, would acknowledge and drop it.
    const impatient = { ...IMPATIENT, brokers: [broker.url] };
    await stand.close();
    stand = await KafkaStand.open(broker.url, 1);
    const log = stand.newLog({ kafka: { newClient: () => new Kafka(impatient) } });
    const { handled } = await collect(stand.newLog());
    const requests = several(10);
    await log.append(requests);
    broker.pause();
    const askedAt = performance.now();
    const unsure: unknown = await log.append(several(1)).catch((cause: unknown) => cause);
    expect(performance.now() - askedAt).toBeLessThan(5_000);
    await new Promise<void>((resume) => void systemClock.after(HANGS_ON_MS, resume));
    broker.resume();
    expect(unsure).toBeInstanceOf(Error);
    expect(unsure).not.toBeInstanceOf(AppendRefusedError);
    for (let count = 0; count < 10; count++) {
      const request = paymentRequest();
      await eventually(() => log.append([request]));
      requests.push(request);
    }
    await eventually(() => expect([...handled]).toEqual(expect.arrayContaining(idsOf(requests))));
  });
});

describe('versions side by side', () => {
  test('[P2] payments of a newer gateway wait for a newer worker, while the older one settles its own', async () => {
    const newer = stand.newLog({ records: nextRecords });
    const counted: string[] = [];
    const old = stand.newLog({ count: (what) => void counted.push(what) });
    const { handled: byOld, stop } = await collect(old);
    const [theirs, ours] = [several(20), several(20)];
    await newer.append(theirs);
    await old.append(ours);
    await eventually(() => expect(byOld).toEqual(new Set(idsOf(ours))));
    await eventually(() => expect(counted.filter((what) => what === 'left-to-newer')).toHaveLength(20));
    const { handled: byNewer } = await collect(newer);
    // The old worker goes, as in any roll-out; what it left comes to the newer one.
    await stop();
    await eventually(() => expect([...byNewer]).toEqual(expect.arrayContaining(idsOf(theirs))));
    await eventually(async () => expect(await newer.pending(theirs[0]!.show)).toEqual([]));
    expect(await stand.recordsOf(stand.topics.deadLetters.name)).toEqual([]);
  });
});

describe('dead letters', () => {
  test('[P6] a record that none of ours wrote is put aside with its error, and comes again when replayed', async () => {
    const { paymentRequests, deadLetters } = stand.topics;
    const counted: string[] = [];
    const log = stand.newLog({ count: (what) => void counted.push(what) });
    const { handled } = await collect(log);
    const foreign = {
      key: 'k',
      value: '{"not":"ours"}',
      headers: { schema: 'payment-request/9', trace: 'abc' },
    };
    await stand.put(paymentRequests.name, foreign);
    const good = paymentRequest();
    await log.append([good]);
    await eventually(() => expect(handled).toEqual(new Set([good.orderId])));
    await eventually(() => expect(counted).toContain('dead-letter-forged'));
    const [letter] = await stand.recordsOf(deadLetters.name);
    expect(letter).toMatchObject({ key: foreign.key, value: foreign.value });
    expect(letter?.headers).toMatchObject({
      ...foreign.headers,
      'dead-letter-reason': 'forged',
      'dead-letter-topic': paymentRequests.name,
      'dead-letter-count': '1',
    });
    expect(letter?.headers['dead-letter-error']).toContain('seal');

    expect(await log.replay()).toBe(1);
    await eventually(async () => expect(await stand.recordsOf(deadLetters.name)).toHaveLength(2));
    const [, again] = await stand.recordsOf(deadLetters.name);
    expect(again?.headers).toMatchObject({ trace: 'abc', 'dead-letter-count': '2' });
  });

  test('[P2] a payment that keeps failing while others succeed is put aside, and settled after a replay', async () => {
    const log = stand.newLog({ random: () => 0 });
    const bad = paymentRequest();
    let isMended = false;
    const handled = new Set<string>();
    await consume(log, async (batch) => {
      if (!isMended && idsOf(batch).includes(bad.orderId)) throw new Error('the seat map of it is broken');
      for (const id of idsOf(batch)) handled.add(id);
    });
    await log.append([bad]);
    await eventually(async () => {
      await log.append(several(1));
      expect(await stand.recordsOf(stand.topics.deadLetters.name)).toHaveLength(1);
    });
    await eventually(async () => expect(await log.pending(bad.show)).toEqual([]));
    isMended = true;
    expect(await log.replay()).toBe(1);
    await eventually(() => expect(handled).toContain(bad.orderId));
    expect(await log.replay()).toBe(0);
  });
});

describe('connecting to Kafka', () => {
  /** What is told of the first failed attempt, or thrown. */
  async function trouble(settings: KafkaSettings, topics = [stand.topics.paymentRequests]): Promise<string> {
    const giveUp = new AbortController();
    const told = Promise.withResolvers<string>();
    const connecting = connectKafka(settings, topics, {
      clock: systemClock,
      random: systemRandom,
      logger: createLogger({ level: 'silent', readable: false }),
      onTrouble: (message) => {
        told.resolve(message);
        giveUp.abort();
      },
      signal: giveUp.signal,
    });
    connecting.then(
      () => told.resolve('connected'),
      (cause: unknown) => told.resolve(`${(cause as Error).name}: ${(cause as Error).message}`),
    );
    return told.promise;
  }

  test('an address where nobody listens is told in one line that names the setting', async () => {
    const message = await trouble(settingsOf('127.0.0.1:1'));
    expect(message).toMatch(
      /^KAFKA_BROKERS: 127\.0\.0\.1:1 can't be reached \(.*ECONNREFUSED.*\); trying again in \d+ ms$/,
    );
  });

  test('an address where something else answers is told', async () => {
    const other = createServer(
      (socket) => void socket.on('data', () => socket.write('HTTP/1.1 400 Bad\r\n\r\n')),
    );
    const { promise, resolve } = Promise.withResolvers<number>();
    other.listen(0, '127.0.0.1', () => {
      const address = other.address();
      resolve(typeof address === 'object' && address ? address.port : 0);
    });
    const message = await trouble(settingsOf(`127.0.0.1:${String(await promise)}`));
    expect(message).toMatch(/^KAFKA_BROKERS: .* gives no answer that a Kafka broker would give/);
    other.close();
  });

  test('a user where the broker asks for none ends the start', async () => {
    const credentials = { mechanism: 'plain', username: 'a', password: 'secret' } as const;
    const message = await trouble({ ...settingsOf(broker.url), credentials });
    expect(message).toMatch(/^ConfigError: .*\n {2}KAFKA_USERNAME: /);
    expect(message).not.toContain('secret');
  });

  test('TLS where the broker speaks plain text is told', async () => {
    const message = await trouble({ ...settingsOf(broker.url), tls: true });
    expect(message).toMatch(/^KAFKA_BROKERS: .*KAFKA_TLS/);
  });

  test('a topic with fewer partitions than planned is taken and told of', async () => {
    const plan = { ...stand.topics.paymentRequests, partitions: PARTITIONS + 1 };
    const message = await trouble(settingsOf(broker.url), [plan]);
    expect(message).toContain(`${plan.name} has ${String(PARTITIONS)} partitions, fewer than the 7`);
  });
});
