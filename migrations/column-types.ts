import { BaseMySqlPlatform, type AbstractSqlPlatform } from '@mikro-orm/sql';

/**
 * The few words of SQL on which SQLite and the MySQL family (MySQL 8.4 and 9, MariaDB 10.11) differ. Migrations
 * are otherwise plain SQL that all of them read alike, so that one list of migrations makes every database.
 *
 * Keys of every kind compare byte by byte: session ids and idempotency keys that differ in case only are two
 * different ones, which MySQL's default collation would deny. Instants are whole milliseconds since the Unix epoch
 * in a 64-bit integer: exact, without time zone, and read alike by every driver. JSON is stored as text and parsed
 * by the adapter that owns it, because MySQL, MariaDB and SQLite disagree on what a JSON column returns.
 */
export interface ColumnTypes {
  /** A rising number the database gives out; a complete column definition. */
  readonly risingId: string;
  /** ASCII text of at most `length` characters, compared byte by byte. */
  ascii(length: number): string;
  /** Unicode text of at most `length` characters, compared by code point. */
  text(length: number): string;
  /** Unicode text of up to 16 MB. */
  readonly longText: string;
  /** 0 … 2^32 − 1. */
  readonly uint32: string;
  /** 0 … 2^53 − 1: instants, amounts in minor units, tokens. */
  readonly uint53: string;
  readonly boolean: string;
  /**
   * The statements that make a table with its indexes. MySQL commits each statement by itself, so a migration that
   * was interrupted runs again from its beginning: what is there already must be passed over.
   */
  createTable(table: TableDescription): readonly string[];
}

export interface TableDescription {
  readonly name: string;
  /** Column and constraint definitions. */
  readonly columns: readonly string[];
  readonly indexes?: readonly IndexDescription[];
  /** Whether its rows lie in the order of their composite primary key, as InnoDB's always do. */
  readonly clustered?: boolean;
}

interface IndexDescription {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique?: boolean;
}

const MYSQL: ColumnTypes = {
  risingId: 'bigint unsigned not null auto_increment primary key',
  ascii: (length) => `varchar(${String(length)}) character set ascii collate ascii_bin`,
  text: (length) => `varchar(${String(length)}) character set utf8mb4 collate utf8mb4_bin`,
  longText: 'mediumtext character set utf8mb4 collate utf8mb4_bin',
  uint32: 'int unsigned',
  uint53: 'bigint unsigned',
  boolean: 'boolean',
  createTable: ({ name, columns, indexes = [] }) => {
    const keys = indexes.map(
      (index) => `${index.unique ? 'unique ' : ''}index ${index.name} (${index.columns.join(', ')})`,
    );
    return [`create table if not exists ${name} (${[...columns, ...keys].join(', ')}) engine = InnoDB`];
  },
};

/** STRICT makes SQLite refuse what the declared type can't hold, as every other database does. */
const SQLITE: ColumnTypes = {
  risingId: 'integer not null primary key autoincrement',
  ascii: () => 'text',
  text: () => 'text',
  longText: 'text',
  uint32: 'integer',
  uint53: 'integer',
  boolean: 'integer',
  createTable: ({ name, columns, indexes = [], clustered = false }) => [
    `create table ${name} (${columns.join(', ')}) strict${clustered ? ', without rowid' : ''}`,
    ...indexes.map(
      (index) =>
        `create ${index.unique ? 'unique ' : ''}index ${index.name} on ${name} (${index.columns.join(', ')})`,
    ),
  ],
};

export function columnTypes(platform: AbstractSqlPlatform): ColumnTypes {
  return platform instanceof BaseMySqlPlatform ? MYSQL : SQLITE;
}
