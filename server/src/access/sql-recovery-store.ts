import { defineEntity, p, UniqueConstraintViolationException } from '@mikro-orm/sql';
import type { Database } from '../platform/database.ts';
import { type SessionId, sessionId } from '../platform/ids.ts';
import type { RecoveryStore } from './ticket-recovery.ts';

/** Whose session each code is, by a digest of the code. */
export const recoveryTable = defineEntity({
  name: 'Recovery',
  tableName: 'recoveries',
  properties: {
    codeDigest: p.string().primary(),
    sessionId: p.string(),
    createdAt: p.bigint('number'),
  },
});

/** Recovery codes in the SQL database, whichever dialect. */
export class SqlRecoveryStore implements RecoveryStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async remember(codeDigest: string, session: SessionId, now: number): Promise<void> {
    // Asked for with every look at the tickets, written once.
    if ((await this.sessionOf(codeDigest)) !== null) return;
    try {
      const row = { codeDigest, sessionId: session, createdAt: now };
      await this.#database.entities().insert(recoveryTable, row);
    } catch (cause) {
      // Another tab or node was a moment faster, with the same row.
      if (!(cause instanceof UniqueConstraintViolationException)) throw cause;
    }
  }

  async sessionOf(codeDigest: string): Promise<SessionId | null> {
    const row = await this.#database.entities().findOne(recoveryTable, { codeDigest });
    return row ? sessionId(row.sessionId) : null;
  }
}
