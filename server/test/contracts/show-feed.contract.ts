import { AVAILABLE, HELD, SOLD, type SeatStatus } from '@stampede/shared/seat-map/seat-status.ts';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { holdToken, sessionId, showId, type ShowId } from '../../src/platform/ids.ts';
import type { FeedEntry, FeedFollower, ShowFeed } from '../../src/feed/show-feed.ts';
import { FeedReader } from './seating/feed-reader.ts';

/** A feed and the pen that writes to it. */
export interface ShowFeedFixture {
  readonly feed: ShowFeed;
  /** Begins a history, and says its epoch; one that the show had before is lost. */
  begin(show: ShowId, statuses: Uint8Array, sectionOf: Uint16Array): Promise<number>;
  publish(show: ShowId, entry: FeedEntry): Promise<void>;
  close(): Promise<void>;
}

/** A feed that processes share, of other versions as well during a deploy. */
export interface SharedFeedFixture extends ShowFeedFixture {
  /** Writes changes with a notice of a kind that this version doesn't know. */
  publishOfFuture(show: ShowId, changes: FeedEntry['changes']): Promise<void>;
}

/** Two seats a section. */
const SECTION_OF = Uint16Array.of(0, 0, 1, 1, 2, 2);
const SEAT_COUNT = SECTION_OF.length;
const LAST_SEAT = SEAT_COUNT - 1;
const ANA = sessionId('ana'.padEnd(22, '-'));

let lastShow = 1_000_000;

function change(seat: number, status: SeatStatus): FeedEntry {
  return { changes: [{ seat, status }], notice: null };
}

function totalOf(reader: FeedReader): number {
  return reader.sequences.reduce((sum, one) => sum + one, 0);
}

/** One show's feed, and how many seat changes were written to it. */
class FeedStand {
  readonly show: ShowId;
  epoch = 0;
  #written = 0;
  readonly #fixture: ShowFeedFixture;

  private constructor(fixture: ShowFeedFixture) {
    this.#fixture = fixture;
    lastShow += 1;
    this.show = showId(lastShow);
  }

  static async begin(fixture: ShowFeedFixture, statuses = new Uint8Array(SEAT_COUNT)): Promise<FeedStand> {
    const stand = new FeedStand(fixture);
    await stand.beginAnew(statuses);
    return stand;
  }

  async beginAnew(statuses: Uint8Array): Promise<void> {
    this.epoch = await this.#fixture.begin(this.show, statuses, SECTION_OF);
    this.#written = 0;
  }

  /** Counts changes that were written to the show by other means. */
  count(changes: number): void {
    this.#written += changes;
  }

  async publish(...entries: readonly FeedEntry[]): Promise<void> {
    for (const entry of entries) {
      this.#written += entry.changes.length;
      await this.#fixture.publish(this.show, entry);
    }
  }

  follow(follower: FeedFollower): Promise<() => void> {
    return this.#fixture.feed.follow(this.show, follower);
  }

  async reader(): Promise<FeedReader> {
    const reader = new FeedReader(SECTION_OF);
    await this.follow(reader);
    return reader;
  }

  /** Waits until readers have heard every change of this history. */
  async drain(...readers: readonly FeedReader[]): Promise<void> {
    await vi.waitFor(
      () => {
        for (const reader of readers) {
          expect({ epoch: reader.epoch, total: totalOf(reader) }).toEqual({
            epoch: this.epoch,
            total: this.#written,
          });
        }
      },
      { timeout: 10_000, interval: 2 },
    );
  }
}

/** What every feed promises its followers, whatever carries it (`show-feed.ts` says it in words) [P5]. */
export function describeShowFeed(name: string, makeFixture: () => Promise<ShowFeedFixture>): void {
  describeFeed(name, makeFixture, () => undefined);
}

/** And what one promises that processes share. */
export function describeSharedShowFeed(name: string, makeFixture: () => Promise<SharedFeedFixture>): void {
  describeFeed(name, makeFixture, describeNewerVersion);
}

function describeFeed<Fixture extends ShowFeedFixture>(
  name: string,
  makeFixture: () => Promise<Fixture>,
  describeMore: (fixture: () => Fixture) => void,
): void {
  describe(`show feed: ${name}`, () => {
    let fixture: Fixture;
    beforeAll(async () => {
      fixture = await makeFixture();
    });
    afterAll(() => fixture.close());

    describeFollowing(() => fixture);
    describeLostHistory(() => fixture);
    describeMore(() => fixture);
  });
}

function describeFollowing(fixture: () => ShowFeedFixture): void {
  it('gives the base before anything else, before following resolves', async () => {
    const stand = await FeedStand.begin(fixture(), Uint8Array.of(0, 1, 2, 3, 0, 0));
    const reader = await stand.reader();
    expect(reader.calls).toEqual(['base']);
    const [base] = reader.bases;
    expect(base).toEqual({
      epoch: stand.epoch,
      statuses: Uint8Array.of(0, 1, 2, 3, 0, 0),
      sequences: [0, 0, 0],
    });
    expect(base?.epoch).toBeGreaterThan(0);
  });

  it('[P5] gives entries as they were written, in their order', async () => {
    const stand = await FeedStand.begin(fixture());
    const reader = await stand.reader();
    const entries: FeedEntry[] = [
      {
        changes: [
          { seat: 3, status: HELD },
          { seat: 0, status: HELD },
        ],
        notice: {
          kind: 'hold',
          session: ANA,
          hold: {
            holdToken: holdToken(7),
            seats: [3, 0],
            amount: 4_200,
            expiresAt: 1_700_000_000_000,
            extensionsLeft: 2,
            ...{ orderId: null, begunAt: 0, isAccepted: false, revision: 9 },
          },
        },
      },
      {
        changes: [],
        notice: { kind: 'admitted', admissions: [{ session: ANA, deadline: 1_700_000_000_000 }] },
      },
      { changes: [], notice: { kind: 'outside', session: ANA, reason: 'expired' } },
      {
        changes: [{ seat: 3, status: AVAILABLE }],
        notice: {
          ...{ kind: 'hold-ended', session: ANA, holdToken: holdToken(7), seats: [3] },
          ...{ reason: 'released', revision: 10 },
        },
      },
      {
        changes: [{ seat: 0, status: SOLD }],
        notice: {
          kind: 'order',
          session: ANA,
          order: {
            id: '01890000-0000-7000-8000-000000000001',
            show: stand.show,
            status: 'confirmed',
            seats: [0],
            amount: 2_100,
            currency: 'EUR',
            createdAt: 1_700_000_000_000,
            reason: '',
            tickets: ['ticket-0'],
          },
        },
      },
      change(5, HELD),
    ];
    await stand.publish(...entries);
    await stand.drain(reader);
    expect(reader.entries).toEqual(entries);
    expect(reader.statuses).toEqual(Uint8Array.of(SOLD, 0, 0, 0, 0, HELD));
    expect(reader.sequences).toEqual([2, 2, 1]);
  });

  it('[P5] a base contains what was written before it; the rest comes once', async () => {
    const stand = await FeedStand.begin(fixture());
    const early = await stand.reader();
    await stand.publish(change(0, HELD), change(2, HELD), change(0, AVAILABLE));
    const late = await stand.reader();
    expect(late.bases).toEqual([
      { epoch: stand.epoch, statuses: Uint8Array.of(0, 0, HELD, 0, 0, 0), sequences: [2, 1, 0] },
    ]);
    await stand.publish(change(4, SOLD));
    await stand.drain(early, late);
    expect(late.entries).toEqual([change(4, SOLD)]);
    expect(early.entries).toHaveLength(4);
    expect(late.statuses).toEqual(early.statuses);
  });

  it('[P5] a base stays what it was, and belongs to whoever got it', async () => {
    const stand = await FeedStand.begin(fixture());
    const [one, other] = [await stand.reader(), await stand.reader()];
    one.bases[0]?.statuses.fill(SOLD);
    await stand.publish(change(1, HELD));
    await stand.drain(one, other);
    expect(other.bases[0]?.statuses).toEqual(new Uint8Array(SEAT_COUNT));
    expect((await stand.reader()).statuses).toEqual(Uint8Array.of(0, HELD, 0, 0, 0, 0));
  });

  it('says nothing more to who stopped following, and goes on with the others', async () => {
    const stand = await FeedStand.begin(fixture());
    const [gone, there] = [new FeedReader(SECTION_OF), await stand.reader()];
    const stop = await stand.follow(gone);
    await stand.publish(change(0, HELD));
    await stand.drain(gone, there);
    stop();
    stop();
    await stand.publish(change(1, HELD));
    await stand.drain(there);
    expect(gone.entries).toEqual([change(0, HELD)]);
  });

  it('says nothing more of what was written before, either', async () => {
    const stand = await FeedStand.begin(fixture());
    const [gone, there] = [new FeedReader(SECTION_OF), await stand.reader()];
    const stop = await stand.follow(gone);
    await stand.publish(change(0, HELD), change(1, HELD));
    stop();
    const heard = gone.entries.length;
    await stand.drain(there);
    expect(gone.entries).toHaveLength(heard);
  });

  it('lets a follower stop from within a call', async () => {
    const stand = await FeedStand.begin(fixture());
    const there = await stand.reader();
    const gone = new FeedReader(SECTION_OF);
    const stop = await stand.follow(gone);
    gone.afterEntries = stop;
    await stand.publish(change(0, HELD));
    await stand.drain(gone, there);
    await stand.publish(change(1, HELD));
    await stand.drain(there);
    expect(gone.entries).toEqual([change(0, HELD)]);
  });

  it('[P5] reading gives every seat as it is, with what was written before', async () => {
    const stand = await FeedStand.begin(fixture(), Uint8Array.of(0, 0, 0, 0, SOLD, 0));
    await stand.publish(change(0, HELD), change(2, HELD), change(0, AVAILABLE));
    expect(await fixture().feed.read(stand.show)).toEqual(Uint8Array.of(0, 0, HELD, 0, SOLD, 0));
    lastShow += 1;
    await expect(fixture().feed.read(showId(lastShow))).rejects.toThrow(String(lastShow));
  });

  it('keeps shows apart', async () => {
    const [one, other] = [await FeedStand.begin(fixture()), await FeedStand.begin(fixture())];
    const [ofOne, ofOther] = [await one.reader(), await other.reader()];
    await one.publish(change(0, HELD));
    await other.publish(change(1, SOLD));
    await one.drain(ofOne);
    await other.drain(ofOther);
    expect(ofOne.entries).toEqual([change(0, HELD)]);
    expect(ofOther.entries).toEqual([change(1, SOLD)]);
  });

  it('rejects who follows a show that was never opened', async () => {
    lastShow += 1;
    const follow = fixture().feed.follow(showId(lastShow), new FeedReader(SECTION_OF));
    await expect(follow).rejects.toThrow(String(lastShow));
  });

  it('[P5] whenever somebody starts to follow: base and entries make the show, without gap or repetition', async () => {
    const written = fc.record({ seat: fc.nat(LAST_SEAT), status: fc.constantFrom(AVAILABLE, HELD, SOLD) });
    const act = fc.oneof(
      { weight: 4, arbitrary: fc.array(written, { minLength: 1, maxLength: 3 }) },
      { weight: 1, arbitrary: fc.constantFrom('follow' as const, 'turn' as const) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 30, size: 'max' }), async (acts) => {
        const stand = await FeedStand.begin(fixture());
        const readers = [await stand.reader()];
        const missed = [0];
        const truth = new Uint8Array(SEAT_COUNT);
        const entries: FeedEntry[] = [];
        for (const one of acts) {
          if (one === 'follow') {
            missed.push(entries.length);
            readers.push(await stand.reader());
          } else if (one === 'turn') {
            await new Promise(setImmediate);
          } else {
            for (const { seat, status } of one) truth[seat] = status;
            entries.push({ changes: one, notice: null });
            await stand.publish({ changes: one, notice: null });
          }
        }
        await stand.drain(...readers);
        readers.forEach((reader, index) => {
          expect(reader.statuses).toEqual(truth);
          expect(reader.entries).toEqual(entries.slice(missed[index]));
        });
      }),
      { numRuns: 50 },
    );
  });
}

function describeLostHistory(fixture: () => ShowFeedFixture): void {
  it('gives a base of another epoch to everybody when history was lost', async () => {
    const stand = await FeedStand.begin(fixture());
    const reader = await stand.reader();
    await stand.publish(change(0, HELD));
    await stand.drain(reader);
    const before = stand.epoch;
    await stand.beginAnew(Uint8Array.of(SOLD, 0, 0, 0, 0, 0));
    await stand.publish(change(1, HELD));
    await stand.drain(reader);
    expect(stand.epoch).not.toBe(before);
    expect(reader.calls).toEqual(['base', 'entries', 'base', 'entries']);
    expect(reader.bases.at(-1)).toEqual({
      epoch: stand.epoch,
      statuses: Uint8Array.of(SOLD, 0, 0, 0, 0, 0),
      sequences: [0, 0, 0],
    });
    expect(reader.entries).toEqual([change(1, HELD)]);
    expect(reader.statuses).toEqual(Uint8Array.of(SOLD, HELD, 0, 0, 0, 0));
  });

  it('[P5] gives nothing of a lost history after the new base', async () => {
    const stand = await FeedStand.begin(fixture());
    const reader = await stand.reader();
    await stand.publish(change(0, HELD), change(1, HELD));
    await stand.beginAnew(new Uint8Array(SEAT_COUNT));
    await stand.publish(change(2, HELD));
    await stand.drain(reader);
    expect(reader.entries).toEqual([change(2, HELD)]);
    expect(reader.statuses).toEqual(Uint8Array.of(0, 0, HELD, 0, 0, 0));
  });

  it('lets who stopped following rest through a change of epoch, and who followed before stop after it', async () => {
    const stand = await FeedStand.begin(fixture());
    const there = await stand.reader();
    const [before, after] = [new FeedReader(SECTION_OF), new FeedReader(SECTION_OF)];
    const stopBefore = await stand.follow(before);
    const stopAfter = await stand.follow(after);
    stopBefore();
    await stand.beginAnew(new Uint8Array(SEAT_COUNT));
    await stand.drain(there, after);
    stopAfter();
    await stand.publish(change(0, HELD));
    await stand.drain(there);
    expect(before.calls).toEqual(['base']);
    expect(after.calls).toEqual(['base', 'base']);
  });
}

function describeNewerVersion(fixture: () => SharedFeedFixture): void {
  it('[P5] a newer version beside this one: its notices are skipped, and the seats go on', async () => {
    const stand = await FeedStand.begin(fixture());
    const reader = await stand.reader();
    await fixture().publishOfFuture(stand.show, [{ seat: 0, status: HELD }]);
    stand.count(1);
    await stand.publish(change(1, HELD));
    await fixture().publishOfFuture(stand.show, []);
    await stand.publish(change(0, AVAILABLE));
    await stand.drain(reader);
    expect(reader.entries.filter(({ changes }) => changes.length > 0)).toEqual([
      change(0, HELD),
      change(1, HELD),
      change(0, AVAILABLE),
    ]);
    expect(reader.bases).toHaveLength(1);
  });
}
