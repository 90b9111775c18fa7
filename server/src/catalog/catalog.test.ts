import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { type ShowId, showId } from '../platform/ids.ts';
import { Catalog, type CatalogLayer, type CatalogText } from './catalog.ts';
import { demoShows } from './demo-shows.ts';
import type { CatalogContents, ListedShow } from './show.ts';
import { loadVenueLayout } from './venue-layout-file.ts';

const layout = await loadVenueLayout(new URL('venues/gaivotas-hall.json', import.meta.url));

function listed(id: number, more: Partial<ListedShow> = {}): ListedShow {
  const { venue, ...draft } = demoShows(1_700_000_000_000)[3]!;
  const { name, city, timeZone = 'UTC', priceLevels } = layout;
  const place = { id: venue, name, city, timeZone, priceLevels, seatCount: 500 };
  return {
    ...draft,
    id: showId(id),
    venue: place,
    drawSeed: '',
    paused: false,
    cancelled: false,
    version: 1,
    ...more,
  };
}

/** A database that can be down, and what nodes share, which can be away. */
class Outside {
  contents: CatalogContents = { version: 1, shows: [listed(1), listed(2)] };
  isDown = false;
  isAway = false;
  shared: { version: number; text: string } | null = null;
  loads = 0;

  readonly store = {
    version: async () => this.#answer(this.contents.version),
    contents: async () => {
      this.loads += 1;
      // As the database would: objects of its own.
      return structuredClone(this.#answer(this.contents));
    },
    layout: async () => {
      this.loads += 1;
      return this.#answer(layout);
    },
  };

  readonly text: CatalogText = {
    read: async (version) => (this.#there()?.version === version ? this.#there()!.text : null),
    write: async (version, text) => {
      this.#there();
      this.shared = { version, text };
    },
    forget: async () => {
      this.#there();
      this.shared = null;
    },
  };

  edit(...shows: ListedShow[]): void {
    this.contents = { version: this.contents.version + 1, shows };
  }

  #answer<T>(answer: T): T {
    if (this.isDown) throw new Error('the database is down');
    return answer;
  }

  #there() {
    if (this.isAway) throw new Error('Redis is away');
    return this.shared;
  }
}

describe('the catalogue of a node', () => {
  let clock: ManualClock;
  let outside: Outside;
  let reads: Record<CatalogLayer, number>;
  let reports: string[];
  let told: [ShowId, string | null][];
  let node: Catalog;

  const newNode = (): Catalog =>
    new Catalog({
      outside: { clock, report: (message) => void reports.push(message) },
      store: outside.store,
      text: outside.text,
      onRead: (layer) => void (reads[layer] += 1),
    });
  const titles = (from = node) => from.list().map(({ title }) => title);
  const passes = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise(setImmediate);
  };
  const aSecondLater = (): Promise<void> => passes(1_000);

  beforeEach(async () => {
    clock = new ManualClock();
    outside = new Outside();
    reads = { process: 0, redis: 0, database: 0 };
    reports = [];
    told = [];
    node = newNode();
    await node.start();
    node.onChange((id, show) => void told.push([id, show && show.title]));
  });

  it('answers from memory, and asks the database only whether there is another version', async () => {
    const asked = reads.database;
    for (let read = 0; read < 1_000; read++) {
      expect(node.list()).toHaveLength(2);
      expect(node.find(showId(2))?.id).toBe(2);
    }
    expect(reads).toMatchObject({ process: 2_000, database: asked });
    await aSecondLater();
    expect(reads.database).toBe(asked + 1);
    expect(outside.loads).toBe(1);
  });

  it('knows an edit a second later, and tells of what was added, edited and deleted and of nothing else', async () => {
    const [first] = node.list();
    outside.edit(listed(1), listed(3, { title: 'Added' }));
    await aSecondLater();
    const { startsAt } = listed(3);
    expect(node.lastStartsAt).toBe(startsAt);
    outside.edit(listed(1), listed(3, { title: 'Edited', startsAt: startsAt + 1 }));
    await aSecondLater();
    expect(node.lastStartsAt).toBe(startsAt + 1);
    expect(node.list().map(({ id }) => id)).toEqual([1, 3]);
    expect(node.list()[0]).toBe(first);
    expect(told).toEqual([
      [2, null],
      [3, 'Added'],
      [3, 'Edited'],
    ]);
  });

  it('takes a version that another node has read from what nodes share', async () => {
    const other = newNode();
    await passes(500);
    await other.start();
    outside.edit(listed(1, { title: 'Edited' }));
    await passes(500);
    await passes(500);
    expect(reports).toEqual([]);
    expect([titles(), titles(other)]).toEqual([['Edited'], ['Edited']]);
    // One a start, because each forgets what was there before, and one for both.
    expect(outside.loads).toBe(3);
  });

  it('reads the database where what is shared is of another version, of another form, or away', async () => {
    for (const text of ['{"shows":7}', 'no JSON', JSON.stringify({ version: 1, shows: [] })]) {
      outside.edit(listed(1, { title: text }));
      outside.shared = { version: outside.contents.version, text };
      await aSecondLater();
      expect(titles()).toEqual([text]);
    }
    outside.isAway = true;
    outside.edit(listed(1, { title: 'Edited' }));
    await aSecondLater();
    expect(titles()).toEqual(['Edited']);
    expect(
      titles(
        await newNode()
          .start()
          .then(() => node),
      ),
    ).toEqual(['Edited']);
  });

  it('serves what it knows while the database is down, says so, and catches up', async () => {
    outside.isDown = true;
    await aSecondLater();
    expect(titles()).toHaveLength(2);
    expect(reports).toEqual([expect.stringContaining('the one of before is used')]);
    outside.isDown = false;
    outside.edit(listed(1));
    await aSecondLater();
    expect(titles()).toHaveLength(1);
  });

  it('does not start where nothing is known', async () => {
    outside.isDown = true;
    await expect(newNode().start()).rejects.toThrow('the database is down');
  });

  it('many who ask for shows of one house cause one load, and get one seat map', async () => {
    const asked = Array.from({ length: 50 }, (_, index) => node.show(showId(1 + (index % 2))));
    const shows = await Promise.all(asked);
    expect(outside.loads).toBe(2);
    expect(new Set(shows.map((show) => show?.seatMap)).size).toBe(1);
    expect(shows[1]).toMatchObject({ id: 2, layout, drawSeed: '', paused: false });
    expect(await node.show(showId(9))).toBeNull();
  });

  it('asks again for seats that could not be had', async () => {
    outside.isDown = true;
    await expect(node.show(showId(1))).rejects.toThrow('the database is down');
    outside.isDown = false;
    expect((await node.show(showId(1)))?.seatMap.seatCount).toBeGreaterThan(0);
  });

  it('[P7] keeps the seats of few houses', async () => {
    const at = (index: number) => listed(index, { venue: { ...listed(1).venue, id: `house-${index}` } });
    outside.edit(...Array.from({ length: 40 }, (_, index) => at(index + 1)));
    await aSecondLater();
    const before = outside.loads;
    for (const { id } of node.list()) await node.show(id);
    await node.show(showId(40));
    expect(outside.loads - before).toBe(40);
    await node.show(showId(1));
    expect(outside.loads - before).toBe(41);
  });

  it('looks no more once it was stopped', async () => {
    await node.stop();
    outside.edit();
    await aSecondLater();
    expect(titles()).toHaveLength(2);
  });
});
