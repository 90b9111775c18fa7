import { createPool, type Pool, type RowDataPacket } from 'mysql2/promise';
import { buyerId, SEATS, type Strategy } from './strategy.ts';

/** As many as the server's own pool has. */
const CONNECTIONS = 16;
const ROWS_PER_INSERT = 1_000;

/** What most ticket shops do: lock the seat's row, look, write, commit. */
export class RowLock implements Strategy {
  readonly name = 'MySQL row lock';
  readonly how = 'SELECT … FOR UPDATE, UPDATE, COMMIT';
  readonly scaling = "none: a row lives on one database server, and replicas can't decide";
  readonly waiting =
    'in the database, in order of coming, each with a connection of the pool; up to innodb_lock_wait_timeout';
  readonly crash =
    'nothing: the database rolls back when the connection is lost, and others wait until it notices';
  readonly attempts = SEATS / 10;
  readonly #pool: Pool;

  constructor(url: string) {
    this.#pool = createPool({ uri: url, connectionLimit: CONNECTIONS });
  }

  async reset(): Promise<void> {
    await this.#pool.query('drop table if exists bench_seats');
    await this.#pool.query('create table bench_seats (seat int primary key, holder varchar(64))');
    for (let from = 0; from < SEATS; from += ROWS_PER_INSERT) {
      const rows = Array.from({ length: ROWS_PER_INSERT }, (_, index) => `(${from + index}, null)`);
      await this.#pool.query(`insert into bench_seats values ${rows.join(', ')}`);
    }
  }

  async attempt(session: number, seat: number): Promise<boolean> {
    const connection = await this.#pool.getConnection();
    try {
      await connection.query('start transaction');
      const select = 'select holder from bench_seats where seat = ? for update';
      const [rows] = await connection.execute<RowDataPacket[]>(select, [seat]);
      const isFree = rows[0]?.['holder'] === null;
      if (isFree) {
        const update = 'update bench_seats set holder = ? where seat = ?';
        await connection.execute(update, [buyerId(session), seat]);
      }
      await connection.query('commit');
      return isFree;
    } finally {
      connection.release();
    }
  }

  close(): Promise<void> {
    return this.#pool.end();
  }
}
