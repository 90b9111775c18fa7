import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { OrderId, ShowId } from '../platform/ids.ts';
import { type KafkaRecord, KafkaSender, NotSentError } from '../platform/kafka-sender.ts';
import type { KafkaConnection } from '../platform/kafka.ts';
import type { Outside } from '../platform/outside.ts';
import { KafkaConsumerGroup, type KafkaPlace } from './kafka-consumer-group.ts';
import { readUncommitted } from './kafka-topic-reading.ts';
import type { KafkaTopics } from './kafka-topics.ts';
import { type DeadLetterReason, type PaymentCount, PaymentDeliveries } from './payment-deliveries.ts';
import { AppendRefusedError } from './payment-log.ts';
import type { DeadLetter, PaymentGiveUp, PaymentHandler, PaymentLog, PaymentRequest } from './payment-log.ts';
import type { PaymentRecords, RecordReading } from './payment-record.ts';

export interface KafkaPaymentLogParts {
  readonly kafka: KafkaConnection;
  readonly topics: KafkaTopics;
  readonly records: PaymentRecords;
  /** Its `report` is told of what went wrong and is being tried again, or was put aside. */
  readonly outside: Outside;
  /** Told how many payments something happened to; for metrics. */
  readonly count?: (what: PaymentCount, payments: number) => void;
}

const SCHEMA_HEADER = 'schema';
const MAC_HEADER = 'mac';
const DEATH_PREFIX = 'dead-letter-';
/** How often the record was put aside; the only one of these headers that outlives a replay. */
const DEATHS_HEADER = `${DEATH_PREFIX}count`;

/**
 * The payment log on Kafka: any number of gateways append, and the workers of one group share what comes.
 *
 * If a process dies
 * - before Kafka acknowledged a record: nobody heard "accepted", and a repeat with the same key appends it again;
 * - as a worker, before its offset was committed: the group notices, and another worker gets the record again. So
 *   it gets those settled already behind it; the handler finds their orders final and changes nothing.
 *
 * An order repeated in the log comes to the handler once as long as the same worker has it in its memory; beyond
 * that, in another process or much later, the handler's own look into the database is what keeps it single.
 */
export class KafkaPaymentLog implements PaymentLog {
  readonly #parts: KafkaPaymentLogParts;
  readonly #sender: KafkaSender;
  readonly #deliveries = new Set<PaymentDeliveries<KafkaPlace>>();

  constructor(parts: KafkaPaymentLogParts) {
    this.#parts = parts;
    this.#sender = new KafkaSender(parts);
  }

  /** Connects the producer ahead of the first payment. */
  open(): Promise<void> {
    return this.#sender.open();
  }

  /** Resolves when what was being appended has its answer; consumers are stopped by their own functions. */
  close(): Promise<void> {
    return this.#sender.close();
  }

  async append(requests: readonly PaymentRequest[]): Promise<void> {
    if (requests.length === 0) return;
    try {
      await this.#sender.send(requests.map((request) => this.#recordOf(request)));
    } catch (cause) {
      if (!(cause instanceof NotSentError)) throw cause;
      this.#count('refused', requests.length);
      throw new AppendRefusedError('the payment log did not take the requests', { cause });
    }
    this.#count('appended', requests.length);
  }

  async consume(
    handler: PaymentHandler,
    giveUp: PaymentGiveUp = async () => undefined,
  ): Promise<() => Promise<void>> {
    const { topics } = this.#parts;
    const deliveries: PaymentDeliveries<KafkaPlace> = new PaymentDeliveries({
      ...this.#parts,
      handler,
      giveUp,
      consumed: (places) => group.settle(places),
      bury: async (places, reason, error) => {
        for (const place of places.slice(0, 1)) await this.#bury(place, reason, error);
        group.settle(places);
      },
      settled: () => group.adjust(),
      count: (what, payments) => this.#count(what, payments),
    });
    const group = new KafkaConsumerGroup({
      ...this.#parts,
      topic: topics.paymentRequests.name,
      group: topics.workers,
      take: (places) =>
        deliveries.take(places.map((place) => ({ place, reading: this.#read(place.message) }))),
      // What stays ours comes again from the last committed offset and finds its payments under way or consumed.
      dealt: () => deliveries.startOver(),
      isFull: () => deliveries.isFull,
    });
    this.#deliveries.add(deliveries);
    await group.start();
    return async () => {
      // The group is left last, so that what handlers settle meanwhile is still committed.
      await deliveries.stop();
      await group.stop();
      this.#deliveries.delete(deliveries);
    };
  }

  /**
   * Needed only where seats are kept in the process: a seat store that outlives it, as Redis does, remembers its
   * checkouts itself, and restores them from the database and the log only when it has lost its history. Reads the
   * log from the committed offsets to its end, which takes a second or so if there is anything.
   */
  async pending(show: ShowId): Promise<readonly PaymentRequest[]> {
    const { kafka, outside, topics } = this.#parts;
    const found = new Map<OrderId, PaymentRequest>();
    await readUncommitted(kafka, outside, {
      topic: topics.paymentRequests.name,
      group: topics.workers,
      commits: false,
      handle: async (messages) => {
        for (const message of messages) {
          // What isn't a request of ours is put aside by the worker that gets it.
          const reading = this.#read(message);
          if (reading.kind !== 'request' || reading.request.show !== show) continue;
          const { orderId } = reading.request;
          if (!found.has(orderId)) found.set(orderId, reading.request);
        }
      },
    });
    // Behind a payment that isn't consumed yet, others may be that can't be committed before it.
    const isConsumed = (order: OrderId): boolean =>
      [...this.#deliveries].some((deliveries) => deliveries.hasConsumed(order));
    return [...found.values()].filter(({ orderId }) => !isConsumed(orderId));
  }

  /** When the oldest payment that waits at this worker was accepted, or null. */
  get oldestAt(): number | null {
    const instants = [...this.#deliveries].flatMap(({ oldestAt }) => oldestAt ?? []);
    return instants.length > 0 ? Math.min(...instants) : null;
  }

  async deadLetters(): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = [];
    await this.#readLetters(false, async (records) => {
      for (const { headers = {}, value } of records) {
        const header = (name: string): string => headers[`${DEATH_PREFIX}${name}`]?.toString() ?? '';
        const letter = { reason: header('reason'), error: header('error'), text: value?.toString() ?? '' };
        letters.push({ ...letter, buriedAt: Date.parse(header('at')) });
      }
    });
    return letters;
  }

  /** If it ends half way, or two replay at once, a payment may be handed over twice, which settles it once. */
  async replay(): Promise<number> {
    const topic = this.#parts.topics.paymentRequests.name;
    let count = 0;
    await this.#readLetters(true, async (messages) => {
      const records = messages.map(({ headers = {}, key, value }) => {
        return { topic, key, value, headers: withoutDeath(headers) };
      });
      await this.#sender.send(records);
      count += records.length;
    });
    return count;
  }

  /** Reads what was not replayed yet; with `commits` it then counts as replayed. */
  #readLetters(commits: boolean, handle: (records: readonly KafkaMessage[]) => Promise<void>): Promise<void> {
    const { kafka, outside, topics } = this.#parts;
    const group = `${topics.workers}.replay`;
    return readUncommitted(kafka, outside, { topic: topics.deadLetters.name, group, commits, handle });
  }

  /** Resolves when the record is durable among the dead letters, its key, value and headers as they were. */
  async #bury({ partition, message }: KafkaPlace, reason: DeadLetterReason, error: string): Promise<void> {
    const { outside, topics } = this.#parts;
    const { key, value, headers = {}, offset } = message;
    const death: IHeaders = {
      [DEATHS_HEADER]: String(Number(headers[DEATHS_HEADER]?.toString() ?? '0') + 1),
      [`${DEATH_PREFIX}reason`]: reason,
      [`${DEATH_PREFIX}error`]: error,
      [`${DEATH_PREFIX}at`]: new Date(outside.clock.now()).toISOString(),
      [`${DEATH_PREFIX}topic`]: topics.paymentRequests.name,
      [`${DEATH_PREFIX}partition`]: String(partition.number),
      [`${DEATH_PREFIX}offset`]: offset,
    };
    const topic = topics.deadLetters.name;
    await this.#sender.send([{ topic, key, value, headers: { ...headers, ...death } }]);
  }

  #recordOf(request: PaymentRequest): KafkaRecord {
    const { schema, text, mac } = this.#parts.records.write(request);
    const headers = { [SCHEMA_HEADER]: schema, [MAC_HEADER]: mac };
    return { topic: this.#parts.topics.paymentRequests.name, key: request.orderId, value: text, headers };
  }

  /** What a message holds; a header or a value that is missing is empty. */
  #read({ headers, value }: KafkaMessage): RecordReading {
    const header = (name: string): string => headers?.[name]?.toString() ?? '';
    const text = value?.toString() ?? '';
    return this.#parts.records.read({ schema: header(SCHEMA_HEADER), text, mac: header(MAC_HEADER) });
  }

  #count(what: PaymentCount, payments: number): void {
    this.#parts.count?.(what, payments);
  }
}

function withoutDeath(headers: IHeaders): IHeaders {
  const kept = Object.entries(headers).filter(
    ([name]) => name === DEATHS_HEADER || !name.startsWith(DEATH_PREFIX),
  );
  return Object.fromEntries(kept);
}
