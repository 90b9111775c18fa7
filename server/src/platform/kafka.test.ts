import { KafkaJSError } from 'kafkajs';
import { describe, expect, test } from 'vitest';
import { ConfigError } from './config-error.ts';
import { explainKafkaTrouble } from './kafka-trouble.ts';
import { readKafkaBrokers } from './kafka.ts';

describe('KAFKA_BROKERS', () => {
  test('takes names and addresses, with the usual port where none is given', () => {
    const given = ['kafka-1.example', '10.0.0.1:9093', '[::1]:29092', 'localhost:1'];
    expect(readKafkaBrokers(given)).toEqual([
      'kafka-1.example:9092',
      '10.0.0.1:9093',
      '[::1]:29092',
      'localhost:1',
    ]);
  });

  test.each(['', 'kafka://host:9092', 'host:0', 'host:65536', 'host:port', 'a b', 'user@host'])(
    'refuses %o',
    (entry) => {
      expect(() => readKafkaBrokers([entry])).toThrow('no address of a broker');
    },
  );
});

describe('trouble with Kafka', () => {
  test('a refused user can only be mended by whoever set it', () => {
    const cause = new KafkaJSError('SASL PLAIN authentication failed: Invalid credentials');
    const trouble = explainKafkaTrouble('kafka:9092', cause);
    expect(trouble).toBeInstanceOf(ConfigError);
    expect(trouble.message).toContain('KAFKA_USERNAME: kafka:9092 answers "SASL PLAIN');
  });

  test('a certificate that is not trusted is told with the setting and the remedy', () => {
    const cause = new KafkaJSError('Connection error: self-signed certificate in certificate chain');
    const trouble = explainKafkaTrouble('kafka:9093', cause);
    expect(trouble).toBeInstanceOf(ConfigError);
    expect(trouble.message).toMatch(/KAFKA_TLS.*NODE_EXTRA_CA_CERTS/);
  });

  test('what may pass by waiting is no matter of configuration, and is told without what was around it', () => {
    const inner = new KafkaJSError('Connection error: connect ECONNREFUSED 10.0.0.1:9092');
    const trouble = explainKafkaTrouble('10.0.0.1:9092', new Error('Retries exceeded', { cause: inner }));
    expect(trouble).not.toBeInstanceOf(ConfigError);
    expect(trouble.message).toBe(
      "10.0.0.1:9092 can't be reached (Connection error: connect ECONNREFUSED 10.0.0.1:9092)",
    );
  });
});
