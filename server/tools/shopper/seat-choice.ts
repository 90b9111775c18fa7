import type { Random } from '@stampede/shared/platform/random.ts';
import type { Row, SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { AVAILABLE } from '@stampede/shared/seat-map/seat-status.ts';

/** What everybody wants most; made once for all buyers. Smaller is better. */
export interface Desirability {
  /** By seat: its place among all seats of the show, `0…seatCount − 1`. */
  readonly ofSeat: Uint32Array;
  /** Section indexes from the most wanted one down. */
  readonly sections: readonly number[];
}

/** Statuses of the sections a buyer watches, by section; a section's array counts from its own first seat. */
export type Statuses = ReadonlyMap<number, { readonly statuses: Uint8Array }>;

/** How many of the best groups of free seats a buyer looks at: few, so that buyers collide. */
const GROUPS_SEEN = 10;

/**
 * Ranks seats the way a crowd does: dearest first, then the front row, then the middle of the row. Equal seats of
 * different sections are equally good, and the order of the sections decides.
 */
export function rankSeats(map: SeatMap): Desirability {
  const seats: { readonly seat: number; readonly row: number; readonly off: number }[] = [];
  for (const section of map.sections) {
    section.rows.forEach((row, index) => {
      for (let step = 0; step < row.seatCount; step++) {
        seats.push({ seat: row.start + step, row: index, off: Math.abs(step - (row.seatCount - 1) / 2) });
      }
    });
  }
  const level = (seat: number): number => map.priceLevel[seat] ?? 0;
  seats.sort((a, b) => level(a.seat) - level(b.seat) || a.row - b.row || a.off - b.off || a.seat - b.seat);
  const ofSeat = new Uint32Array(map.seatCount);
  const best = map.sections.map(() => Infinity);
  seats.forEach(({ seat }, rank) => {
    ofSeat[seat] = rank;
    const section = map.sectionOf[seat] ?? 0;
    best[section] = Math.min(best[section] ?? Infinity, rank);
  });
  const sections = map.sections.map((section) => section.index);
  sections.sort((a, b) => (best[a] ?? 0) - (best[b] ?? 0));
  return { ofSeat, sections };
}

/**
 * Chooses which sections to watch: at most `count` of those that may have free seats, the wanted ones more often.
 * Empty if none has any.
 */
export function chooseSections(
  desirability: Desirability,
  mayHaveFree: (section: number) => boolean,
  count: number,
  random: Random,
): number[] {
  const left = desirability.sections.filter(mayHaveFree);
  const chosen: number[] = [];
  while (chosen.length < count && left.length > 0) {
    chosen.push(...left.splice(leaning(random, left.length), 1));
  }
  return chosen;
}

export interface SeatWish {
  readonly map: SeatMap;
  readonly desirability: Desirability;
  readonly watched: Statuses;
  /** Seats wanted; fewer are taken if there is no better way. */
  readonly count: number;
  /** Seats just lost to somebody else, though the map may still show them free. */
  readonly avoid: ReadonlySet<number>;
}

/**
 * Chooses free neighbours in one row of a watched section: mostly one of the best groups, so that many buyers want
 * the same. Where no row has enough neighbours left, fewer. Empty if nothing is free. Indexes count in the show.
 */
export function chooseSeats(wish: SeatWish, random: Random): number[] {
  const free = freeSeats(wish);
  for (let count = wish.count; count > 0; count--) {
    const groups = bestGroups(wish, free, count);
    const start = groups[leaning(random, groups.length)]?.start;
    if (start !== undefined) return Array.from({ length: count }, (_, step) => start + step);
  }
  return [];
}

interface Group {
  readonly start: number;
  /** Sum of the ranks of its seats. */
  readonly worth: number;
}

/** A seat's status as its watcher knows it; undefined if its section isn't watched. */
export function statusOf(map: SeatMap, watched: Statuses, seat: number): number | undefined {
  const section = map.sections[map.sectionOf[seat] ?? -1];
  return section && watched.get(section.index)?.statuses[seat - section.start];
}

function freeSeats({ map, watched, avoid }: SeatWish): (seat: number) => boolean {
  return (seat) => statusOf(map, watched, seat) === AVAILABLE && !avoid.has(seat);
}

function bestGroups(wish: SeatWish, free: (seat: number) => boolean, count: number): Group[] {
  const best: Group[] = [];
  for (const index of wish.watched.keys()) {
    for (const row of wish.map.sections[index]?.rows ?? []) {
      for (const group of groupsOfRow(row, wish.desirability, free, count)) insert(best, group);
    }
  }
  return best;
}

function groupsOfRow(
  row: Row,
  { ofSeat }: Desirability,
  free: (seat: number) => boolean,
  count: number,
): Group[] {
  const groups: Group[] = [];
  let run = 0;
  let worth = 0;
  for (let seat = row.start; seat < row.start + row.seatCount; seat++) {
    if (!free(seat)) {
      run = 0;
      worth = 0;
      continue;
    }
    worth += ofSeat[seat] ?? 0;
    if (run === count) worth -= ofSeat[seat - count] ?? 0;
    else run++;
    if (run === count) groups.push({ start: seat - count + 1, worth });
  }
  return groups;
}

/** Keeps `best` sorted and short. */
function insert(best: Group[], group: Group): void {
  if (best.length === GROUPS_SEEN && group.worth >= (best.at(-1)?.worth ?? 0)) return;
  const at = best.findIndex((other) => other.worth > group.worth);
  best.splice(at < 0 ? best.length : at, 0, group);
  if (best.length > GROUPS_SEEN) best.pop();
}

/** An index below `length` that leans to the front: the first tenth comes up nearly a third of the time. */
function leaning(random: Random, length: number): number {
  return Math.floor(random() ** 2 * length);
}
