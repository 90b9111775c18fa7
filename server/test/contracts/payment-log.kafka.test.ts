import { afterAll, beforeAll } from 'vitest';
import type { NativeServer } from '../../tools/stack/native-server.ts';
import { startKafka } from '../../tools/stack/private-servers.ts';
import { KafkaStand } from './kafka/kafka-stand.ts';
import { paymentLogContract } from './payment-log.contract.ts';

let broker: NativeServer;
beforeAll(async () => {
  broker = await startKafka();
});
afterAll(async () => {
  await broker.remove();
});

// One partition: the order of the whole log is told then, and whatever waits is in the way of all others.
paymentLogContract('Kafka', async () => {
  const stand = await KafkaStand.open(broker.url, 1);
  const log = stand.newLog();
  await log.open();
  return {
    log,
    restarted: async () => stand.newLog(),
    // Redeliveries come by the system's clock.
    pass: () => undefined,
    remove: () => stand.close(),
  };
});
