import {
  AbstractSqlDriver,
  type AnyEntity,
  BaseSqliteConnection,
  type Configuration,
  type EntityData,
  isRaw,
  NativeQueryBuilder,
  type QueryResult,
  SqlitePlatform,
} from '@mikro-orm/sql';

type Execute = BaseSqliteConnection['execute'];
type Arguments = Parameters<Execute>;
type Client = Pick<ReturnType<BaseSqliteConnection['getClient']>, 'executeQuery'>;
type Compiled = Parameters<Client['executeQuery']>[0];
type Answer = QueryResult | EntityData<AnyEntity> | EntityData<AnyEntity>[];

/**
 * The ORM's SQLite driver, but values travel beside the statement instead of within its text: SQLite ends a statement
 * at the first NUL, and a text that holds one would fail whatever shares its statement.
 */
export class BindingSqliteDriver extends AbstractSqlDriver<BindingConnection> {
  constructor(config: Configuration) {
    super(config, new SqlitePlatform(), BindingConnection, ['kysely']);
  }
}

class BindingConnection extends BaseSqliteConnection {
  override async execute<T extends Answer = EntityData<AnyEntity>[]>(
    query: Arguments[0],
    params: NonNullable<Arguments[1]> = [],
    method: 'all' | 'get' | 'run' = 'all',
    context?: Client,
    loggerContext?: Arguments[4],
  ): Promise<T> {
    const { sql, params: values } = statementOf(query, params);
    // Named values are the ORM's own business; nothing here has any.
    if (values === null) return super.execute<T>(query, params, method, context, loggerContext);
    await this.ensureConnection();
    const compiled = compiledQuery(boundStatement(sql, values));
    return this.executeQuery(
      sql,
      async () => {
        const client = context ?? this.getClient();
        return this.transformRawResult<T>(await client.executeQuery(compiled), method);
      },
      { ...loggerContext, params: values },
    );
  }
}

interface Statement {
  readonly sql: string;
  readonly params: readonly unknown[] | null;
}

function statementOf(query: Arguments[0], params: NonNullable<Arguments[1]>): Statement {
  const raw = query instanceof NativeQueryBuilder ? query.toRaw() : query;
  if (isRaw(raw)) return { sql: raw.sql, params: raw.params };
  return { sql: raw, params: Array.isArray(params) ? (params as readonly unknown[]) : null };
}

const PLACEHOLDER = /\\\?|\?\??/g;

/** Reads `?`, lists behind one `?`, `??` for identifiers and the escaped `\?` as the ORM does. */
function boundStatement(text: string, params: readonly unknown[]): { sql: string; values: unknown[] } {
  const values: unknown[] = [];
  let next = 0;
  const sql = text.replace(PLACEHOLDER, (found) => {
    if (params.length === 0) return found;
    if (found === '\\?') return '?';
    const value = params[next++];
    if (found === '??') return `\`${String(value).replaceAll('`', '``').replace('.', '`.`')}\``;
    const list: readonly unknown[] = Array.isArray(value) ? value : [value];
    values.push(...list.map(sqliteValue));
    return list.map(() => '?').join(', ');
  });
  return { sql, values };
}

/** Whole numbers as such: a JavaScript number would be bound as a fraction. */
function sqliteValue(value: unknown): unknown {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return value ?? null;
}

function compiledQuery({ sql, values }: { sql: string; values: unknown[] }): Compiled {
  const query = { kind: 'RawNode', sqlFragments: [sql], parameters: [] } as const;
  return { sql, parameters: values, query, queryId: { queryId: 'bound' } };
}
