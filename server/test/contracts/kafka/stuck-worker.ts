/**
 * A worker that takes payments, says which, and never settles one, until it is killed.
 * Arguments: broker, topic prefix.
 */
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { KafkaPaymentLog } from '../../../src/checkout/kafka-payment-log.ts';
import { kafkaTopics } from '../../../src/checkout/kafka-topics.ts';
import { connectKafka } from '../../../src/platform/kafka.ts';
import { createLogger } from '../../../src/platform/logger.ts';
import { nextTurn } from '../../../src/platform/turn.ts';
import { records } from '../payment-requests.ts';

const [broker = '', prefix = ''] = process.argv.slice(2);
const clock = systemClock;
const random = systemRandom;
const kafka = await connectKafka({ brokers: [broker], tls: false, credentials: null }, [], {
  clock,
  random,
  logger: createLogger({ level: 'silent', readable: false }),
  onTrouble: () => undefined,
});
const log = new KafkaPaymentLog({
  kafka,
  topics: kafkaTopics(prefix),
  records,
  clock,
  random,
  nextTurn,
  report: () => undefined,
});
await log.consume((requests) => {
  for (const { orderId } of requests) console.log(orderId);
  return new Promise(() => undefined);
});
