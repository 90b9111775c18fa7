import type { SaleTerms, ShowDraft } from './show.ts';

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

/**
 * The shows of a fresh installation, one for each thing to see: an open sale, a lobby about to open, one still
 * scheduled, and a small hall that sells in seconds.
 * @param now milliseconds since the Unix epoch; everything is relative to it
 */
export function demoShows(now: number): readonly ShowDraft[] {
  return [theatreShow(now), arenaShow(now), stadiumShow(now), hallShow(now)];
}

function theatreShow(now: number): ShowDraft {
  // Half past seven in Vienna, in summer half past eight.
  const startsAt = instantOn(now, 24, 18.5);
  return {
    title: 'The Lighthouse That Moved House',
    subtitle: 'A comedy in three acts and one removal van',
    description:
      'Ottilie Brandt keeps the last lighthouse of a sea that has dried up. When the council sends her a coast ' +
      'with vacancies, she packs the lamp, the stairs and four generations of foghorns, and takes the night train.',
    venue: 'lindenhof-theatre',
    startsAt,
    currency: 'EUR',
    prices: [12_800, 9_600, 7_200, 4_800, 2_400],
    sale: {
      ...USUAL_TERMS,
      lobbyAt: now - 15 * MINUTE_MS,
      opensAt: now,
      closesAt: startsAt - DOORS_MS,
      admissionsPerSecond: 20,
      admissionBurst: 40,
      admittedMax: 400,
    },
  };
}

function arenaShow(now: number): ShowDraft {
  // Seven in the evening in Seoul.
  const startsAt = instantOn(now, 60, 10);
  return {
    title: 'Seven Umbrellas',
    subtitle: 'Weather Permitting: the homecoming night',
    description:
      'Seven voices, one forecast. After forty cities of sudden rain the band that sings in cold fronts comes ' +
      'home, with the cloud machine, the Puddle Orchestra, and the encore that nobody has heard dry.',
    venue: 'haneul-arena',
    startsAt,
    currency: 'KRW',
    prices: [220_000, 176_000, 154_000, 121_000, 88_000],
    sale: {
      ...USUAL_TERMS,
      lobbyAt: now,
      opensAt: now + LOBBY_MS,
      closesAt: startsAt - DOORS_MS,
      admissionsPerSecond: 50,
      admissionBurst: 100,
      admittedMax: 2_000,
    },
  };
}

function stadiumShow(now: number): ShowDraft {
  // A final under floodlights: seven in Manchester, in summer eight.
  const startsAt = instantOn(now, 90, 19);
  return {
    title: 'Inkwell Wanderers v Pennine Thistledown',
    subtitle: 'The Lantern Cup Final',
    description:
      'They last met in a final in a year of fog, and both clubs still claim to have won it. Ninety minutes, two ' +
      'brass bands, and a cup with room for exactly one pie.',
    venue: 'loomfield-stadium',
    startsAt,
    currency: 'GBP',
    prices: [16_500, 11_000, 8_500, 6_500, 4_500, 3_000],
    sale: {
      ...USUAL_TERMS,
      lobbyAt: instantOn(now, 3, 9),
      opensAt: instantOn(now, 3, 10),
      closesAt: startsAt - DOORS_MS,
      admissionsPerSecond: 50,
      admissionBurst: 100,
      admittedMax: 2_000,
    },
  };
}

function hallShow(now: number): ShowDraft {
  // Eight in Lisbon, in summer nine.
  const startsAt = instantOn(now, 10, 20);
  return {
    title: 'The Grand Pillow Fight',
    subtitle: 'Dona Almofada v The Feather Notary, for the Eiderdown Belt',
    description:
      'Twelve rounds, two pillows, one referee with hay fever. Five hundred seats and far more friends than that: ' +
      'the fight for a ticket is part of the evening. The first two rows are handed goggles.',
    venue: 'gaivotas-hall',
    startsAt,
    currency: 'EUR',
    prices: [6_000, 4_200, 3_000, 1_800],
    sale: {
      ...USUAL_TERMS,
      lobbyAt: now - 15 * MINUTE_MS,
      opensAt: now,
      closesAt: startsAt - DOORS_MS,
      admissionsPerSecond: 500,
      admissionBurst: 500,
      admittedMax: 2_000,
      seatsPerBuyer: 4,
    },
  };
}

/** The given hour of the day (UTC), so many days after the day of `now`. */
function instantOn(now: number, days: number, hour: number): number {
  return Math.floor(now / DAY_MS) * DAY_MS + days * DAY_MS + hour * HOUR_MS;
}
