import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { type CatalogContents, type SaleTerms, type ShowDraft } from './show.ts';
import { loadVenueLayout } from './venue-layout-file.ts';

const VENUES = new URL('venues/', import.meta.url);
const DRAW_SEED_BYTES = 32;

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Time between the end of the on-sale and the curtain, for the door list. */
const DOORS_MS = HOUR_MS;
/** Long enough to watch a waiting room fill, short enough to stay for the opening. */
const LOBBY_MS = 2 * MINUTE_MS;

const USUAL_TERMS = {
  admissionLifetimeMs: 10 * MINUTE_MS,
  seatsPerBuyer: 6,
  holdLifetimeMs: 5 * MINUTE_MS,
  extensionsMax: 1,
} satisfies Partial<SaleTerms>;

interface DemoShow extends Omit<ShowDraft, 'startsAt' | 'sale'> {
  /** Days after today, and the hour of that day (UTC). */
  readonly starts: { readonly days: number; readonly hour: number };
  /** Without the usual terms, which it may change. */
  readonly saleAt: (
    now: number,
  ) => Omit<SaleTerms, keyof typeof USUAL_TERMS | 'closesAt'> & Partial<SaleTerms>;
}

/**
 * One for each thing to see: an open sale, a lobby about to open, one still scheduled, and a small hall that sells in
 * seconds.
 */
const DEMO_SHOWS: readonly DemoShow[] = [
  {
    title: 'The Lighthouse That Moved House',
    subtitle: 'A comedy in three acts and one removal van',
    description:
      'Ottilie Brandt keeps the last lighthouse of a sea that has dried up. When the council sends her a coast ' +
      'with vacancies, she packs the lamp, the stairs and four generations of foghorns, and takes the night train.',
    venue: 'lindenhof-theatre',
    // Half past seven in Vienna, in summer half past eight.
    starts: { days: 24, hour: 18.5 },
    currency: 'EUR',
    prices: [12_800, 9_600, 7_200, 4_800, 2_400],
    saleAt: (now) => ({
      lobbyAt: now - 15 * MINUTE_MS,
      opensAt: now,
      admissionsPerSecond: 20,
      admissionBurst: 40,
      admittedMax: 400,
    }),
  },
  {
    title: 'Seven Umbrellas',
    subtitle: 'Weather Permitting: the homecoming night',
    description:
      'Seven voices, one forecast. After forty cities of sudden rain the band that sings in cold fronts comes ' +
      'home, with the cloud machine, the Puddle Orchestra, and the encore that nobody has heard dry.',
    venue: 'haneul-arena',
    // Seven in the evening in Seoul.
    starts: { days: 60, hour: 10 },
    currency: 'KRW',
    prices: [220_000, 176_000, 154_000, 121_000, 88_000],
    saleAt: (now) => ({
      lobbyAt: now,
      opensAt: now + LOBBY_MS,
      admissionsPerSecond: 50,
      admissionBurst: 100,
      admittedMax: 2_000,
    }),
  },
  {
    title: 'Inkwell Wanderers v Pennine Thistledown',
    subtitle: 'The Lantern Cup Final',
    description:
      'They last met in a final in a year of fog, and both clubs still claim to have won it. Ninety minutes, two ' +
      'brass bands, and a cup with room for exactly one pie.',
    venue: 'loomfield-stadium',
    // A final under floodlights: seven in Manchester, in summer eight.
    starts: { days: 90, hour: 19 },
    currency: 'GBP',
    prices: [16_500, 11_000, 8_500, 6_500, 4_500, 3_000],
    saleAt: (now) => ({
      lobbyAt: instantOn(now, 3, 9),
      opensAt: instantOn(now, 3, 10),
      admissionsPerSecond: 50,
      admissionBurst: 100,
      admittedMax: 2_000,
    }),
  },
  {
    title: 'The Grand Pillow Fight',
    subtitle: 'Dona Almofada v The Feather Notary, for the Eiderdown Belt',
    description:
      'Twelve rounds, two pillows, one referee with hay fever. Five hundred seats and far more friends than that: ' +
      'the fight for a ticket is part of the evening. The first two rows are handed goggles.',
    venue: 'gaivotas-hall',
    // Eight in Lisbon, in summer nine.
    starts: { days: 10, hour: 20 },
    currency: 'EUR',
    prices: [6_000, 4_200, 3_000, 1_800],
    saleAt: (now) => ({
      lobbyAt: now - 15 * MINUTE_MS,
      opensAt: now,
      admissionsPerSecond: 500,
      admissionBurst: 500,
      admittedMax: 2_000,
      seatsPerBuyer: 4,
    }),
  },
];

/**
 * The shows of a fresh installation.
 * @param now milliseconds since the Unix epoch; everything is relative to it
 */
export function demoShows(now: number): readonly ShowDraft[] {
  return DEMO_SHOWS.map(({ starts: { days, hour }, saleAt, ...show }) => {
    const startsAt = instantOn(now, days, hour);
    return { ...show, startsAt, sale: { ...USUAL_TERMS, closesAt: startsAt - DOORS_MS, ...saleAt(now) } };
  });
}

/** The given hour of the day (UTC), so many days after the day of `now`. */
function instantOn(now: number, days: number, hour: number): number {
  return Math.floor(now / DAY_MS) * DAY_MS + days * DAY_MS + hour * HOUR_MS;
}

/** Where a catalogue begins. */
interface FreshStore {
  contents(): Promise<CatalogContents>;
  fillIfEmpty(
    layouts: readonly VenueLayout[],
    shows: readonly { readonly draft: ShowDraft; readonly drawSeed: string }[],
  ): Promise<number>;
}

/**
 * Fills an empty catalogue with the demo's venues and shows, whose times count from `now`. Returns how many shows
 * were added: none if there is any, so that a restart keeps what was sold.
 */
export async function fillEmptyCatalog(store: FreshStore, now: number): Promise<number> {
  if ((await store.contents()).shows.length > 0) return 0;
  const files = (await readdir(VENUES)).filter((name) => name.endsWith('.json'));
  const layouts = await Promise.all(files.map((name) => loadVenueLayout(new URL(name, VENUES))));
  const shows = demoShows(now).map((draft) => ({
    draft,
    drawSeed: randomBytes(DRAW_SEED_BYTES).toString('hex'),
  }));
  return store.fillIfEmpty(layouts, shows);
}
