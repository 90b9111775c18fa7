import { type Random, seededRandom } from '@stampede/shared/platform/random.ts';
import { type Fault, FAULTS } from './fault-list.ts';
import { FaultHouse } from './fault-house.ts';
import { FICKLE, impossibleRefusals, Person } from '../shopper/person.ts';
import { isClean, judge, type SeatPicture, type Verdict } from './verdict.ts';
import { Shopper } from '../shopper/shopper.ts';

export interface MixedRun {
  readonly minutes: number;
  readonly people: number;
  readonly seed: number;
  readonly holdLifetimeMs: number;
  /** Those among `FAULTS` whose name has one of these texts; all when there is none. */
  readonly only: readonly string[];
  /** Told what is going on. */
  readonly say: (line: string) => void;
}

/** What a run came to; figures for reading, `verdict` for judging. */
export interface MixedResult {
  readonly name: 'mixed';
  readonly held: boolean;
  readonly seed: number;
  readonly minutes: number;
  readonly on: string;
  readonly faults: Readonly<Record<string, number>>;
  readonly people: number;
  readonly ordersTold: number;
  readonly confirmed: number;
  readonly ordersInDatabase: number;
  readonly seatsSold: number;
  readonly refusals: Readonly<Record<string, number>>;
  /** How often a told position was worse than the one before it. */
  readonly movedBack: number;
  /** Nodes that ended by themselves. */
  readonly crashes: readonly string[];
  readonly impossible: readonly string[];
  readonly verdict: Verdict;
}

/** Between two faults, in lifetimes of a hold: some come while the last one is still being got over, some don't. */
const REST_MAX = 0.5;
/** Every payment under way has ended by then: its deadline, the margin its seats are kept, and some seconds. */
const ENDED_WITHIN_MS = 120_000;
/** Seats in limbo come back within a hold's lifetime and this [P3]. */
const LIMBO_MS = 5_000;
const PICTURE_WITHIN_MS = 15_000;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Sells while one fault follows the other, lets everything come to rest, and compares all words with the database. */
export async function runMixedFaults(run: MixedRun): Promise<MixedResult> {
  const { minutes, people, seed, holdLifetimeMs, say } = run;
  const random = seededRandom(seed);
  const house = await FaultHouse.open(holdLifetimeMs);
  try {
    say(`On ${house.parts.products}: ${people} people at a time, seed ${seed}.`);
    const endsAt = performance.now() + minutes * 60_000;
    const isTimeUp = (): boolean => performance.now() >= endsAt;
    const everybody: Person[] = [];
    const shoppers = Promise.all(
      Array.from({ length: people }, (_, seat) => keepShopping(house, seat, seed, everybody, isTimeUp)),
    );
    const faults = await strikeUntil(house, random, isTimeUp, run);
    await shoppers;
    say(`No more faults. ${everybody.length} people come back for what they were told.`);
    await house.repair();
    const settledBy = performance.now() + ENDED_WITHIN_MS;
    await Promise.all(everybody.map((person) => person.comeBack(settledBy)));
    for (const person of everybody) person.closeTabs();
    await pause(holdLifetimeMs + LIMBO_MS);
    return await conclude(house, everybody, faults, { minutes, seed });
  } finally {
    await house.close();
  }
}

/** One chair at a screen: when somebody goes home, the next one sits down. */
async function keepShopping(
  house: FaultHouse,
  chair: number,
  seed: number,
  everybody: Person[],
  isTimeUp: () => boolean,
): Promise<void> {
  for (let turn = 0; !isTimeUp(); turn++) {
    const show = house.shows[(chair + turn) % house.shows.length];
    if (!show) throw new Error('there is no show');
    const name = `person-${chair}-${turn}`;
    const person = new Person({
      name,
      port: house.port,
      show,
      seed: seed * 1_000_003 + chair * 10_007 + turn,
      temper: FICKLE,
    });
    everybody.push(person);
    await person.shop(isTimeUp);
    person.closeTabs();
  }
}

async function strikeUntil(
  house: FaultHouse,
  random: Random,
  isTimeUp: () => boolean,
  { only, holdLifetimeMs, say }: MixedRun,
): Promise<Record<string, number>> {
  const struck: Record<string, number> = {};
  let left: Fault[] = [];
  while (!isTimeUp()) {
    if (left.length === 0)
      left = shuffled(
        FAULTS.filter(({ name }) => only.length === 0 || only.some((text) => name.includes(text))),
        random,
      );
    const fault = left.pop();
    if (!fault) throw new Error(`there is no fault called ${only.join(' or ')}`);
    say(fault.name);
    struck[fault.name] = (struck[fault.name] ?? 0) + 1;
    await fault.strike(house, random);
    // Half of the time the next one comes before this one is got over.
    if (random() < 0.5) await house.repair();
    await pause(random() * REST_MAX * holdLifetimeMs);
  }
  return struck;
}

function shuffled(faults: readonly Fault[], random: Random): Fault[] {
  return faults
    .map((fault) => ({ fault, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ fault }) => fault);
}

async function conclude(
  house: FaultHouse,
  everybody: readonly Person[],
  faults: Readonly<Record<string, number>>,
  { minutes, seed }: Pick<MixedRun, 'minutes' | 'seed'>,
): Promise<MixedResult> {
  const books = await house.books();
  const pictures = await takePictures(house);
  const words = everybody.map((person) => person.words);
  const verdict = judge(books, words, pictures);
  const impossible = everybody.flatMap((person) => impossibleRefusals(person.refusals));
  const crashes = house.crashes;
  return {
    name: 'mixed',
    held: isClean(verdict) && impossible.length === 0 && crashes.length === 0,
    seed,
    minutes,
    on: house.parts.products,
    faults,
    people: everybody.length,
    ordersTold: words.reduce((sum, book) => sum + book.orderIds.length, 0),
    confirmed: words.reduce((sum, book) => sum + book.confirmed, 0),
    ordersInDatabase: books.orders.length,
    seatsSold: books.sold.length,
    refusals: sumOf(everybody.map(({ refusals }) => refusals)),
    movedBack: everybody.reduce((sum, person) => sum + person.movedBack, 0),
    crashes,
    impossible,
    verdict,
  };
}

/** Redis' own seats, and what a newcomer at each gateway is shown. */
async function takePictures(house: FaultHouse): Promise<readonly SeatPicture[]> {
  const pictures: SeatPicture[] = [];
  for (const show of house.shows) {
    const statuses = await house.redis((redis) => redis.getBuffer(`{show:${show.id}}:seats`));
    pictures.push({ place: 'Redis', show: show.id, statuses: statuses ?? [] });
    for (const { port } of house.nodes('gateway')) {
      const looker = await Shopper.arriveInTime(port, show);
      const statusesShown = (): (number | undefined)[] =>
        Array.from({ length: show.map.seatCount }, (_, seat) => looker.seatStatus(seat));
      await looker.until(() => !statusesShown().includes(undefined), PICTURE_WITHIN_MS);
      const shown = statusesShown().map((status) => status ?? NaN);
      pictures.push({ place: `gateway ${port}`, show: show.id, statuses: shown });
      looker.client.stop();
    }
  }
  return pictures;
}

function sumOf(counts: readonly ReadonlyMap<string, number>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const one of counts) for (const [code, count] of one) sum[code] = (sum[code] ?? 0) + count;
  return sum;
}
