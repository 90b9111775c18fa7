import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { NativeServer } from '../../../tools/stack/native-server.ts';
import { startKafka } from '../../../tools/stack/private-servers.ts';
import { KafkaStand } from '../../contracts/kafka/kafka-stand.ts';
import { SqlServerStand } from '../../contracts/mysql/sql-server-stand.ts';
import { paymentRequest, records } from '../../contracts/payment-requests.ts';

const TOOL = fileURLToPath(new URL('../../../tools/dead-letters.ts', import.meta.url));
const PATIENCE = { timeout: 30_000, interval: 100 };

let broker: NativeServer;
let kafka: KafkaStand;
let sql: SqlServerStand;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stampede-dead-letters-'));
  [broker, sql] = await Promise.all([startKafka(), SqlServerStand.start('database')]);
  kafka = await KafkaStand.open(broker.url, 1);
});
afterAll(async () => {
  await kafka.close();
  await Promise.all([broker.remove(), sql.close(), rm(folder, { recursive: true, force: true })]);
});

/** Runs the tool as an operator of the real stack would. */
async function deadLetters(task: string): Promise<string> {
  const parts = { DATABASE_URL: sql.url, KAFKA_BROKERS: broker.url, KAFKA_TOPIC_PREFIX: kafka.prefix };
  const own = { DATA_DIR: folder, PAYMENT_SECRET: randomBytes(32).toString('hex') };
  const env = { ...process.env, ...parts, ...own };
  return (await promisify(execFile)(process.execPath, [TOOL, task], { env })).stdout;
}

test('[P2] an operator sees on Kafka what was put aside, and hands it to the workers again', async () => {
  const request = paymentRequest();
  const { schema, text } = records.write(request);
  await kafka.put(kafka.topics.paymentRequests.name, {
    ...{ key: request.orderId, value: text },
    headers: { schema, mac: 'nobody of ours' },
  });
  const counted: string[] = [];
  const log = kafka.newLog({ count: (what) => counted.push(what) });
  const stop = await log.consume(async () => undefined);
  await vi.waitFor(() => expect(counted).toEqual(['dead-letter-forged']), PATIENCE);
  const [letter, ...more] = (await deadLetters('list')).trim().split('\n');
  expect(more).toEqual([]);
  expect(JSON.parse(letter ?? '')).toMatchObject({ reason: 'forged', text });
  expect(await deadLetters('replay')).toBe('1 payments were handed over again.\n');
  await vi.waitFor(() => expect(counted).toEqual(['dead-letter-forged', 'dead-letter-forged']), PATIENCE);
  expect((await deadLetters('list')).trim().split('\n')).toHaveLength(1);
  await stop();
  expect(await deadLetters('replay')).toBe('1 payments were handed over again.\n');
  expect(await deadLetters('list')).toBe('');
});
