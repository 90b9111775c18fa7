import type { SqlEntityManager } from '@mikro-orm/sql';
import { z } from 'zod';

const timeRows = z.tuple([z.object({ now: z.int() })]);

/** The instant by the clock of MySQL or MariaDB, in milliseconds since the Unix epoch: the same for every node. */
export async function databaseTime(entities: SqlEntityManager): Promise<number> {
  const [row] = timeRows.parse(
    await entities.execute(
      "select timestampdiff(microsecond, '1970-01-01', utc_timestamp(3)) div 1000 as now",
    ),
  );
  return row.now;
}
