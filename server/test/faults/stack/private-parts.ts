import type { NativeServer } from '../../../tools/stack/native-server.ts';
import { startDatabase, startKafka, startRedis } from '../../../tools/stack/private-servers.ts';
import { createConnection } from 'mysql2/promise';
import type { FleetParts } from '../../integration/stack/fleet.ts';

const DATABASE = 'stampede_faults';

/** Outside parts that nobody else uses, because here they are killed. */
export interface PrivateParts extends FleetParts {
  /** What ran: "Redis 7.0.15, MySQL 9.7.4, Kafka 4.3.1". */
  readonly products: string;
  readonly redis: NativeServer;
  readonly database: NativeServer;
  readonly kafka: NativeServer;
  remove(): Promise<void>;
}

export async function startPrivateParts(): Promise<PrivateParts> {
  const [redis, database, kafka] = await Promise.all([startRedis(), startDatabase(), startKafka()]);
  const connection = await createConnection(database.url);
  await connection.query(`create database ${DATABASE} character set utf8mb4`);
  await connection.end();
  const databaseUrl = new URL(database.url);
  databaseUrl.pathname = `/${DATABASE}`;
  return {
    redis,
    database,
    kafka,
    products: [redis, database, kafka].map(({ product }) => product).join(', '),
    redisUrl: redis.url,
    databaseUrl: databaseUrl.href,
    kafkaBrokers: kafka.url,
    async remove() {
      await Promise.all([redis, database, kafka].map((server) => server.remove()));
    },
  };
}
