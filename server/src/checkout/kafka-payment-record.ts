import type { IHeaders, KafkaMessage } from 'kafkajs';
import type { KafkaRecord } from './kafka-sender.ts';
import type { PaymentRequest } from './payment-log.ts';
import { readPaymentRequest, writePaymentRequest } from './payment-request-json.ts';

/** Which form a record's value has; a worker that doesn't know it leaves the record to the dead letters. */
const SCHEMA_HEADER = 'schema';
const SCHEMA = 'payment-request/1';

/** JSON, as in every payment log: 300 bytes, and readable with Kafka's own tools when something went wrong. */
export function paymentRecord(topic: string, request: PaymentRequest, headers: IHeaders): KafkaRecord {
  return {
    topic,
    key: request.orderId,
    value: writePaymentRequest(request),
    headers: { ...headers, [SCHEMA_HEADER]: SCHEMA },
  };
}

/** Throws on anything but a payment request in a form that is known. */
export function readPaymentRecord({ headers, value }: KafkaMessage): PaymentRequest {
  const schema = headers?.[SCHEMA_HEADER]?.toString() ?? 'none';
  if (schema !== SCHEMA) throw new Error(`a payment record of the unknown schema ${JSON.stringify(schema)}`);
  if (value === null) throw new Error('a payment record without a value');
  return readPaymentRequest(value.toString());
}
