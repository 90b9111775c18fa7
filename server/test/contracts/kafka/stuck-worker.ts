/**
 * A worker that takes payments, says which, and never settles one, until it is killed.
 * Arguments: broker, topic prefix.
 */
import { KafkaPaymentLog } from '../../../src/payment-log/kafka-payment-log.ts';
import { kafkaTopics } from '../../../src/payment-log/kafka-topics.ts';
import { connectKafka } from '../../../src/platform/kafka.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { machineOutside } from '../../../src/platform/outside.ts';
import { records } from '../payment-requests.ts';

const [broker = '', prefix = ''] = process.argv.slice(2);
const outside = machineOutside(() => undefined);
const kafka = await connectKafka({ brokers: [broker], tls: false, credentials: null }, [], {
  ...outside,
  logger: createLogger({ level: 'silent', readable: false }),
  onTrouble: () => undefined,
});
const log = new KafkaPaymentLog({
  kafka,
  topics: kafkaTopics(prefix),
  records,
  outside,
});
await log.consume((requests) => {
  for (const { orderId } of requests) console.log(orderId);
  return new Promise(() => undefined);
});
