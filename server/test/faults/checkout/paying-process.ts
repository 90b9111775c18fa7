/**
 * A server that takes payments without end until it is killed. Arguments: data folder. Prints one line with the
 * order's id for each payment it has acknowledged.
 */
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { paymentRequest } from '../../contracts/payment-requests.ts';
import { holdToken, sessionId } from '../../../src/platform/ids.ts';
import { openPayingHouse } from './paying-house.ts';

const STDOUT = 1;
/** Few enough that orders clash. */
const SEAT_COUNT = 600;
const SEATS_PER_ORDER_MAX = 3;
const ORDERS_PER_BURST_MAX = 12;
const PAUSE_MS_MAX = 10;

const [, , directory = ''] = process.argv;
const random = seededRandom(process.pid);
const upTo = (max: number): number => 1 + Math.floor(random() * max);

const { log, relay, worker } = await openPayingHouse(directory);
await worker.start();
await relay.start();
writeSync(STDOUT, 'ready\n');

for (let burst = 0; ; burst++) {
  const requests = Array.from({ length: upTo(ORDERS_PER_BURST_MAX) }, (_, index) => {
    const first = upTo(SEAT_COUNT);
    const name = `${String(process.pid)}-${String(burst)}-${String(index)}`;
    const now = Date.now();
    return paymentRequest({
      session: sessionId(name),
      idempotencyKey: name,
      holdToken: holdToken(now),
      seats: Array.from({ length: upTo(SEATS_PER_ORDER_MAX) }, (__, seat) => first + seat),
      createdAt: now,
      payBy: now + 60_000,
    });
  });
  for (const request of requests) {
    void log.append([request]).then(() => writeSync(STDOUT, `${request.orderId}\n`));
  }
  await sleep(random() * PAUSE_MS_MAX);
}
