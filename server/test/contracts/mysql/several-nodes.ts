import type { Hold } from '../../../src/feed/show-feed.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { holdToken, type SessionId, sessionId, showId } from '../../../src/platform/ids.ts';
import type { SeatRules } from '../../../src/seating/seat-store.ts';
import type { Database } from '../../../src/platform/database.ts';
import { FeedReader } from '../seating/feed-reader.ts';
import { expectRefused, newOrderId } from '../seating/seat-stand.ts';
import { seatNode, testClock } from './seat-stand.ts';
import type { SqlServerStand } from './sql-server-stand.ts';

const SEATS = 30;
const BUYERS = 80;
const NOW = testClock.now();
const LIFETIME_MS = 300_000;

let lastShow = 2_000_000;

function newRules(seatCount = SEATS): SeatRules {
  lastShow += 1;
  return {
    show: showId(lastShow),
    seatCount,
    sectionOf: Uint16Array.from({ length: seatCount }, (_, seat) => Math.floor(seat / 10)),
    sectionCount: Math.ceil(seatCount / 10),
    seatsPerBuyer: 6,
    seatsPerNetwork: Infinity,
    holdLifetimeMs: LIFETIME_MS,
    extensionsMax: 1,
  };
}

const NO_FACTS = { sold: [], checkouts: [] };
const buyer = (name: string): SessionId => sessionId(name.padEnd(22, '-'));

/** Two gateways, each with its own connections, sell the same show. */
export function describeSeveralNodes(stand: () => SqlServerStand): void {
  describe('several nodes', () => {
    let nodes: ReturnType<typeof seatNode>[];
    beforeAll(() => {
      nodes = [seatNode(stand().database), seatNode(stand().another)];
    });
    afterAll(() => Promise.all(nodes.map((node) => node.close())));

    const admitted = async (rules: SeatRules, name: string): Promise<SessionId> => {
      for (const node of nodes) await node.admit(rules.show, buyer(name), NOW + 10 * LIFETIME_MS);
      return buyer(name);
    };

    it('a show that both open at once is set up once', async () => {
      const rules = newRules(2_000);
      const sold = Array.from({ length: 2_000 }, (_, seat) => ({ seat, session: buyer(`buyer-${seat}`) }));
      await Promise.all(nodes.map((node) => node.store.open(rules, { sold, checkouts: [] })));
      const rows = await stand()
        .database.entities()
        .execute('select count(*) as n from live_seats where show_id = ?', [rules.show]);
      expect(rows).toEqual([{ n: 2_000 }]);
    });

    it('[P1][P5] many buyers on both want the same seats: one holder a seat, one history for both', async () => {
      const rules = newRules();
      for (const node of nodes) await node.store.open(rules, NO_FACTS);
      const readers = nodes.map(() => new FeedReader(rules.sectionOf));
      for (const [index, node] of nodes.entries()) await node.feed.follow(rules.show, readers[index]!);
      const calls = await Promise.all(
        Array.from({ length: BUYERS }, async (_, index) => {
          const session = await admitted(rules, `buyer-${String(index)}`);
          const first = Math.floor(systemRandom() * (SEATS - 4));
          const seats = [first + 3, first, first + 1];
          return {
            node: nodes[index % 2]!,
            step: { kind: 'hold', session, network: null, seats, prices: [1, 1, 1] } as const,
          };
        }),
      );
      const answers = await Promise.all(calls.map(({ node, step }) => node.store.take(rules, [step])));
      const holders = new Map<number, Hold>();
      for (const [outcome] of answers) {
        if (!outcome.ok) {
          expect(outcome.code).toBe('seat-taken');
          continue;
        }
        for (const seat of outcome.value.seats) {
          expect(holders.has(seat), `seat ${String(seat)}`).toBe(false);
          holders.set(seat, outcome.value);
        }
      }
      for (const [outcome] of answers) {
        if (!outcome.ok) for (const seat of outcome.seats) expect(holders.has(seat)).toBe(true);
      }
      await expect
        .poll(() => readers.map((reader) => reader.sequences.reduce((sum, one) => sum + one, 0)))
        .toEqual([holders.size, holders.size]);
      expect(readers[0]!.entries).toEqual(readers[1]!.entries);
      expect(readers[0]!.sequences).toEqual(readers[1]!.sequences);
    });

    it('[P1] two tabs of one buyer on two nodes begin one hold', async () => {
      const rules = newRules();
      for (const node of nodes) await node.store.open(rules, NO_FACTS);
      const session = await admitted(rules, 'ana');
      for (let round = 0; round < 5; round++) {
        const outcomes = await Promise.all(
          nodes.map((node, index) =>
            node.store.take(rules, [
              { kind: 'hold', session, network: null, seats: [round * 4 + index], prices: [1] },
            ]),
          ),
        );
        const tokens = outcomes.map(([outcome]) => (outcome.ok ? outcome.value.holdToken : null));
        expect(tokens[0]).not.toBeNull();
        expect(tokens[0]).toBe(tokens[1]);
        const hold = await nodes[0]!.store.holdOf(rules.show, session);
        expect(hold?.seats.toSorted((a, b) => a - b)).toEqual([round * 4, round * 4 + 1]);
        await nodes[1]!.store.take(rules, [
          { kind: 'release', session, holdToken: holdToken(tokens[0]!), seats: [] },
        ]);
      }
    });

    it('[P7] an order settled while a step is on its way counts in the limit of who takes seats right then', async () => {
      const rules = newRules();
      const real = stand().database;
      let beforeStep = async (): Promise<void> => undefined;
      const slow: Pick<Database, 'entities' | 'transaction'> = {
        entities: () => real.entities(),
        transaction: async (...work) => {
          await beforeStep();
          return real.transaction(...work);
        },
      };
      const node = seatNode(slow as Database);
      await node.store.open(rules, NO_FACTS);
      const session = buyer('ana');
      await node.admit(rules.show, session, testClock.now() + LIFETIME_MS);
      const sale = { id: newOrderId(), show: rules.show, seats: [0, 1, 2, 3], amount: 4, currency: 'EUR' };
      const order = { ...sale, status: 'confirmed', createdAt: NOW, reason: '', tickets: [] } as const;
      beforeStep = async () => {
        beforeStep = async () => undefined;
        await nodes[1]!.store.settle(rules, [{ kind: 'sold', session, holdToken: holdToken(1), order }]);
      };
      const request = {
        kind: 'hold',
        session,
        network: null,
        seats: [4, 5, 6],
        prices: [1, 1, 1],
      } as const;
      const [outcome] = await node.store.take(rules, [request]);
      expectRefused(outcome, 'limit-exceeded');
      await node.close();
    });

    it('[P3] both sweep what ran out: it ends once', async () => {
      const rules = newRules();
      for (const node of nodes) await node.store.open(rules, NO_FACTS);
      for (let seat = 0; seat < 20; seat++) {
        const session = await admitted(rules, `late-${String(seat)}`);
        await nodes[seat % 2]!.store.take(rules, [
          { kind: 'hold', session, network: null, seats: [seat], prices: [1] },
        ]);
      }
      testClock.advance(LIFETIME_MS);
      const ended = await Promise.all(nodes.map((node) => node.store.expire(rules)));
      expect(ended.reduce((sum, one) => sum + one, 0)).toBe(20);
    });
  });
}
