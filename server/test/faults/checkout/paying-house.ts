import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { seededRandom, systemRandom } from '@stampede/shared/platform/random.ts';
import pLimit from 'p-limit';
import { OutboxRelay } from '../../../src/checkout/outbox-relay.ts';
import { OutcomeEffects } from '../../../src/checkout/outcome-effects.ts';
import type { Authorization, Charge, PaymentGateway } from '../../../src/checkout/payment-gateway.ts';
import { PaymentWorker } from '../../../src/checkout/payment-worker.ts';
import { SqlOrderStore } from '../../../src/checkout/sql-order-store.ts';
import { SqlPaymentLog } from '../../../src/checkout/sql-payment-log.ts';
import { newRandomTicketCode } from '../../../src/checkout/ticket-codes.ts';
import { openSqliteDatabase } from '../../../src/platform/database-sqlite.ts';
import { nextTurn } from '../../../src/platform/turn.ts';
import { records } from '../../contracts/payment-requests.ts';
import { allTables } from '../../contracts/test-database.ts';

const BOOKS_FILE = 'gateway-books.txt';
const ANSWER_MS_MAX = 8;
const DECLINED_SHARE = 5;

/**
 * A bank beside the server: what it was told to do stands in a file that no death of the server touches. Its
 * answer depends on the order alone.
 */
class BookkeepingGateway implements PaymentGateway {
  readonly #file: string;
  readonly #random = seededRandom(process.pid);

  constructor(directory: string) {
    this.#file = join(directory, BOOKS_FILE);
  }

  async authorize({ orderId }: Charge): Promise<Authorization> {
    await this.#think();
    const digit = Number.parseInt(orderId.slice(-2), 16);
    return digit % DECLINED_SHARE === 0
      ? { kind: 'declined', reason: 'card-declined' }
      : { kind: 'authorized', reference: `pay-${orderId}` };
  }

  async capture({ orderId }: Charge): Promise<void> {
    await this.#think();
    appendFileSync(this.#file, `capture ${orderId}\n`);
    await this.#think();
  }

  async void({ orderId }: Charge): Promise<void> {
    await this.#think();
    appendFileSync(this.#file, `void ${orderId}\n`);
    await this.#think();
  }

  #think(): Promise<void> {
    return sleep(this.#random() * ANSWER_MS_MAX);
  }
}

/** Orders that the bank has charged and not voided. */
export function chargedOrders(directory: string): Set<string> {
  const file = join(directory, BOOKS_FILE);
  const charged = new Set<string>();
  if (!existsSync(file)) return charged;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [what, order = ''] = line.split(' ');
    if (what === 'capture') charged.add(order);
    if (what === 'void') charged.delete(order);
  }
  return charged;
}

/** Log, worker, relay and database on real files, as a server has them; the live seats are somebody else's. */
export async function openPayingHouse(directory: string) {
  const database = await openSqliteDatabase(directory, allTables);
  const report = (): void => undefined;
  const clock = systemClock;
  const random = systemRandom;
  const gateway = new BookkeepingGateway(directory);
  const gatewayCalls = pLimit(256);
  const orders = new SqlOrderStore(database);
  const log = new SqlPaymentLog({ database, records, clock, random, nextTurn, report });
  const outcomes = new OutcomeEffects({
    orders,
    gateway,
    gatewayCalls,
    // Live seats are somebody else's: what they are told is taken for applied, by whatever rules.
    seats: { settle: async () => undefined, mend: async () => undefined } as never,
    seatRules: () => ({}) as never,
    finished: async () => undefined,
    clock,
    nextTurn,
    report,
  });
  const newTicketCode = newRandomTicketCode;
  const worker = new PaymentWorker({
    log,
    orders,
    gateway,
    gatewayCalls,
    outcomes,
    newTicketCode,
    priceOf: () => null,
    clock,
    random,
    nextTurn,
    report,
  });
  return { database, log, orders, worker, relay: new OutboxRelay({ orders, outcomes, clock, report }) };
}
