import { ManualClock, systemClock } from '@stampede/shared/platform/clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { sessionId } from '../../../src/platform/ids.ts';
import type { Database } from '../../../src/platform/database.ts';
import { writeDraft } from '../../../src/seating/mysql-feed-rows.ts';
import { MysqlSeatStore } from '../../../src/seating/mysql-seat-store.ts';
import { writeSeats } from '../../../src/seating/mysql-seat-rows.ts';
import { MysqlShowFeed } from '../../../src/seating/mysql-show-feed.ts';
import type { SeatRules } from '../../../src/seating/seat-store.ts';
import type { Notice } from '../../../src/seating/show-feed.ts';
import type { SharedFeedFixture } from '../show-feed.contract.ts';
import type { SeatStoreFixture } from '../seating/seat-stand.ts';

let lastEpoch = 0;

/** The time of all nodes of a test file. */
export const testClock = new ManualClock();

/** What the test's own show is to a feed that sells nothing. */
const RULES = { seatsPerBuyer: 4, seatsPerNetwork: Infinity, holdLifetimeMs: 1_000, extensionsMax: 0 };

function fail(message: string, cause: unknown): void {
  throw new Error(message, { cause });
}

function openFeed(database: Database): MysqlShowFeed {
  return new MysqlShowFeed({ database, clock: systemClock, report: fail });
}

/**
 * A gateway's seat store and feed on a database.
 *
 * @param clock what the store takes for the database's time; null: the database's own
 */
export function seatNode(
  database: Database,
  clock: ManualClock | null = testClock,
): SeatStoreFixture & { readonly store: MysqlSeatStore } {
  const deadlines = new Map<string, number>();
  const feed = openFeed(database);
  const store = new MysqlSeatStore({
    database,
    admissions: { isAdmitted: (show, session, now) => (deadlines.get(`${show} ${session}`) ?? 0) > now },
    newEpoch: () => ++lastEpoch,
    clock: systemClock,
    ...(clock && { testClock: clock }),
    random: systemRandom,
    onWritten: (show) => feed.wake(show),
  });
  return {
    store,
    feed,
    clock: testClock,
    admit: async (show, session, deadline) => void deadlines.set(`${show} ${session}`, deadline),
    close: () => feed.close(),
  };
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
      await store.forget(show);
      await store.open(rules, { sold: [], checkouts: [] });
      const written = Array.from(statuses, (status, seat) => ({ seat, status }));
      await database.transaction((entities) =>
        writeSeats(
          entities,
          show,
          written.map(({ seat, status }) => ({
            seat,
            section: sectionOf[seat]!,
            status: status as 0,
            heldBy: null,
            soldTo: status === SOLD ? sessionId('somebody') : null,
            changes: 0,
          })),
        ),
      );
      // Followers hear of a new history at the next look, with a base of that moment. Here that look is now.
      const stop = await feed.follow(show, { onBase: () => undefined, onEntries: () => undefined });
      stop();
      return lastEpoch;
    },
    publish: async (show, entry) => {
      const { sectionOf } = rulesOf.get(show)!;
      await database.transaction(async (entities) => {
        for (const { seat, status } of entry.changes) {
          const row = { seat, section: sectionOf[seat]!, status, heldBy: null, soldTo: null, changes: 1 };
          await writeSeats(entities, show, [row]);
        }
        await writeDraft(entities, show, [entry]);
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
