import type { KafkaMessage } from 'kafkajs';
import type { KafkaRecord } from '../platform/kafka-sender.ts';
import type { PaymentRequest } from './payment-log.ts';
import type { PaymentRecord, PaymentRecords } from './payment-record.ts';

const SCHEMA_HEADER = 'schema';
const MAC_HEADER = 'mac';

export function paymentRecord(topic: string, records: PaymentRecords, request: PaymentRequest): KafkaRecord {
  const { schema, text, mac } = records.write(request);
  const headers = { [SCHEMA_HEADER]: schema, [MAC_HEADER]: mac };
  return { topic, key: request.orderId, value: text, headers };
}

/** What a Kafka message holds; a header or a value that is missing is empty. */
export function recordOf({ headers, value }: KafkaMessage): PaymentRecord {
  const header = (name: string): string => headers?.[name]?.toString() ?? '';
  return { schema: header(SCHEMA_HEADER), text: value?.toString() ?? '', mac: header(MAC_HEADER) };
}
