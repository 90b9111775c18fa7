import { Migration } from '@mikro-orm/migrations';
import { BaseMySqlPlatform } from '@mikro-orm/sql';

/** Compares code point by code point and pads nothing: the first is MariaDB's, the second MySQL's (8.0.17 or newer). */
const EXACT_COLLATIONS = ['utf8mb4_nopad_bin', 'utf8mb4_0900_bin'];

/**
 * Idempotency keys compare byte by byte: `utf8mb4_bin` of the first tables ignores spaces at the end, so that one key
 * of a session would have been taken for another. SQLite compares so anyway. What is unique by the old rule is so by
 * the new one, and the version before reads and writes the column as ever.
 */
export class ExactKeys extends Migration {
  override async up(): Promise<void> {
    if (!(this.driver.getPlatform() instanceof BaseMySqlPlatform)) return;
    const known = await this.execute(
      'select collation_name as name from information_schema.collations where collation_name in (?, ?)',
      EXACT_COLLATIONS,
    );
    const names = known.map((row) => String((row as { name?: unknown }).name));
    const collation = EXACT_COLLATIONS.find((name) => names.includes(name));
    if (collation === undefined) return;
    this.addSql(
      `alter table orders modify idempotency_key varchar(64) character set utf8mb4 collate ${collation} not null`,
    );
  }

  override async down(): Promise<void> {
    // Keys that differ by the new rule only could not live under the old one.
  }
}
