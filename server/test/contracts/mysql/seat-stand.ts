import { LockMode, type SqlEntityManager } from '@mikro-orm/sql';
import { systemClock } from '@stampede/shared/platform/clock.ts';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { sessionId, type ShowId } from '../../../src/platform/ids.ts';
import type { Database } from '../../../src/platform/database.ts';
import { appendRecord, MysqlShowFeed } from '../../../src/feed/mysql-show-feed.ts';
import { nextTurn } from '../../../src/platform/outside.ts';
import { MysqlSeatStore } from '../../../src/seating/mysql-seat-store.ts';
import { liveSeatTables, liveShowTable } from '../../../src/seating/mysql-seat-tables.ts';
import type { SeatRules } from '../../../src/seating/seat-store.ts';
import type { Notice } from '../../../src/feed/show-feed.ts';
import type { SharedFeedFixture } from '../show-feed.contract.ts';
import type { SeatStoreFixture } from '../seating/seat-stand.ts';

let lastEpoch = 0;
const BUYER = sessionId('somebody');

/** The time of all nodes of a test file. */
export const testClock = new ManualClock();

/** What the test's own show is to a feed that sells nothing. */
const RULES = { seatsPerBuyer: 4, seatsPerNetwork: Infinity, holdLifetimeMs: 1_000, extensionsMax: 0 };

function fail(message: string, cause: unknown): void {
  throw new Error(message, { cause });
}

function openFeed(database: Database): MysqlShowFeed {
  return new MysqlShowFeed({ database, outside: { clock: systemClock, nextTurn, report: fail } });
}

/**
 * A gateway's seat store and feed on a database.
 *
 * @param clock what the store takes for the database's time; null: the database's own
 */
export function seatNode(
  database: Database,
  clock: ManualClock | null = testClock,
): SeatStoreFixture & { readonly store: MysqlSeatStore; readonly feed: MysqlShowFeed } {
  const deadlines = new Map<string, number>();
  const feed = openFeed(database);
  const store = new MysqlSeatStore({
    database,
    admissions: { isAdmitted: (show, session, now) => (deadlines.get(`${show} ${session}`) ?? 0) > now },
    newEpoch: () => ++lastEpoch,
    outside: { nextTurn },
    ...(clock && { testClock: clock }),
    onWritten: () => void feed.look(),
  });
  return {
    store,
    feed,
    clock: testClock,
    admit: async (show, session, deadline) => void deadlines.set(`${show} ${session}`, deadline),
    close: () => feed.close(),
  };
}

/** A seat's row as a step writes it. */
async function writeStatus(
  entities: SqlEntityManager,
  ...[show, seat, section, status, changes]: readonly [ShowId, number, number, number, number]
): Promise<void> {
  await entities.execute(
    'insert into live_seats (show_id, seat, section, status, changes) values (?, ?, ?, ?, ?) ' +
      'on duplicate key update status = values(status), changes = changes + values(changes)',
    [show, seat, section, status, changes],
    'run',
  );
}

/** A feed and the pen that writes to it as steps do. */
export function feedPen(database: Database): SharedFeedFixture {
  const { store, feed, ...node } = seatNode(database);
  const rulesOf = new Map<number, SeatRules>();
  const pen: SharedFeedFixture = {
    feed,
    begin: async (show, statuses, sectionOf) => {
      const rules = {
        ...RULES,
        show,
        seatCount: statuses.length,
        sectionOf,
        sectionCount: Math.max(...sectionOf) + 1,
      };
      rulesOf.set(show, rules);
      const sold = [...statuses.keys()].filter((seat) => statuses[seat] === SOLD);
      await database.transaction(async (entities) => {
        for (const { meta } of liveSeatTables) {
          await entities.execute(`delete from ${meta.tableName} where show_id = ?`, [show], 'run');
        }
      });
      await store.open(rules, { sold: sold.map((seat) => ({ seat, session: BUYER })), checkouts: [] });
      await database.transaction(async (entities) => {
        for (const [seat, status] of statuses.entries()) {
          if (status > 0 && status !== SOLD)
            await writeStatus(entities, show, seat, sectionOf[seat]!, status, 0);
        }
      });
      // Followers hear of a new history at the next look. Here that is now.
      await feed.look();
      return lastEpoch;
    },
    publish: async (show, entry) => {
      const { sectionOf } = rulesOf.get(show)!;
      await database.transaction(async (entities) => {
        const head = await entities.findOneOrFail(liveShowTable, show, {
          lockMode: LockMode.PESSIMISTIC_WRITE,
        });
        for (const { seat, status } of entry.changes) {
          await writeStatus(entities, show, seat, sectionOf[seat]!, status, 1);
        }
        head.position += 1;
        await appendRecord(entities, show, head.position, [entry]);
      });
    },
    publishOfFuture: async (show, changes) => {
      const notice = { kind: 'seat-swap-offered', session: 'somebody' } as unknown as Notice;
      await pen.publish(show, { changes, notice });
    },
    close: () => node.close(),
  };
  return pen;
}
