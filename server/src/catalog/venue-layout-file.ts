import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { SEATS_PER_SHOW_MAX, SECTIONS_PER_SHOW_MAX } from '@stampede/shared/protocol/limits.ts';
import { seatMapOf, seatName } from '@stampede/shared/seat-map/seat-map.ts';
import {
  ROW_LABEL,
  type RowBlock,
  rowLabel,
  seatsInRow,
  type VenueLayout,
} from '@stampede/shared/seat-map/venue-layout.ts';
import { z } from 'zod';

/** The largest ground there is would fit into a square of this side, in metres. */
const SIDE_MAX = 1_000;
const PRICE_LEVELS_MAX = 16;
const BLOCKS_PER_SECTION_MAX = 32;
const ROWS_PER_BLOCK_MAX = 200;
const SEATS_PER_ROW_MAX = 500;
const FIRST_SEAT_MAX = 9_999;
const LANDMARKS_MAX = 32;
const OUTLINE_POINTS_MAX = 256;
const NAME_LENGTH_MAX = 60;
/** Faults told at once: enough to mend a file in few rounds, too few to drown its first mistake. */
const FAULTS_TOLD_MAX = 5;

/** A venue layout file that can't be used; the message names the file and, for each fault, the path in it. */
export class VenueLayoutError extends Error {
  override readonly name = 'VenueLayoutError';
}

const name = z.string().trim().min(1).max(NAME_LENGTH_MAX);
const metres = z.number().min(-SIDE_MAX).max(SIDE_MAX);
const side = z.number().positive().max(SIDE_MAX);
const point = z.tuple([metres, metres]);
const timeZone = z.string().refine(isTimeZone, 'must be the IANA name of a time zone, like Europe/Lisbon');
const rowLength = z.int().min(1).max(SEATS_PER_ROW_MAX);
const rowArc = z.strictObject({ from: point, to: point, bend: metres });

const rowBlock = z.strictObject({
  priceLevel: z.int().min(0),
  rows: z.int().min(1).max(ROWS_PER_BLOCK_MAX),
  firstRow: z.string().regex(ROW_LABEL, 'must be a number without leading zeros, or one or two capitals'),
  firstSeat: z.int().min(1).max(FIRST_SEAT_MAX).exactOptional(),
  seats: z.tuple([rowLength, rowLength]),
  front: rowArc,
  back: rowArc,
});

const landmark = z.strictObject({
  kind: z.enum(['stage', 'pitch', 'floor', 'pit']),
  /** Empty for a shape that explains itself. */
  label: z.string().trim().max(NAME_LENGTH_MAX),
  outline: z.array(point).min(3).max(OUTLINE_POINTS_MAX),
});

const section = z.strictObject({
  name,
  tier: name,
  blocks: z.array(rowBlock).min(1).max(BLOCKS_PER_SECTION_MAX),
});

export const venueLayout = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case words joined by hyphens')
    .max(NAME_LENGTH_MAX),
  name,
  city: name,
  timeZone: timeZone.exactOptional(),
  width: side,
  height: side,
  landmarks: z.array(landmark).max(LANDMARKS_MAX),
  priceLevels: z.array(name).min(1).max(PRICE_LEVELS_MAX),
  sections: z.array(section).min(1).max(SECTIONS_PER_SHOW_MAX),
});

/**
 * Reads a venue layout from the text of a file [P7].
 * @param fileName what messages call the file
 * @throws VenueLayoutError
 */
export function parseVenueLayout(text: string, fileName: string): VenueLayout {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new VenueLayoutError(`${fileName}: not JSON: ${String(cause)}`, { cause });
  }
  const parsed = venueLayout.safeParse(value);
  const faults = parsed.success ? faultsBetweenParts(parsed.data) : parsed.error.issues;
  if (parsed.success && faults.length === 0) return parsed.data;
  const told = faults.slice(0, FAULTS_TOLD_MAX).map(({ path, message }) => {
    const where = z.core.toDotPath(path);
    return `${fileName}: ${where && `${where}: `}${message}`;
  });
  if (faults.length > told.length) told.push(`${fileName}: … and ${faults.length - told.length} more`);
  throw new VenueLayoutError(told.join('\n'), { cause: parsed.error });
}

/**
 * Loads a venue layout file.
 * @throws VenueLayoutError if it can't be read or is no venue layout
 */
export async function loadVenueLayout(path: string | URL): Promise<VenueLayout> {
  const fileName = basename(path instanceof URL ? path.pathname : path);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new VenueLayoutError(`${fileName}: can't be read: ${String(cause)}`, { cause });
  }
  return parseVenueLayout(text, fileName);
}

/** Names only: `+01:00` is an offset, which says nothing of the summer. */
function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

interface Fault {
  readonly path: PropertyKey[];
  readonly message: string;
}

/** What no part can know on its own. Seats are placed only once their number is known to be bounded. */
function faultsBetweenParts(layout: VenueLayout): Fault[] {
  const faults = [...faultsOfNames(layout), ...faultsOfPriceLevels(layout)];
  const seats = layout.sections
    .flatMap((section) => section.blocks)
    .reduce((sum, block) => sum + block.rows * Math.max(...block.seats), 0);
  if (seats > SEATS_PER_SHOW_MAX) {
    const message = `has some ${seats} seats, more than ${SEATS_PER_SHOW_MAX}`;
    return [...faults, { path: ['sections'], message }];
  }
  return [...faults, ...faultsOfSeatNames(layout), ...faultsOfPlaces(layout)];
}

function faultsOfNames({ sections }: VenueLayout): Fault[] {
  const names = sections.map(({ name }) => name);
  return names.flatMap((name, index) => {
    const first = names.indexOf(name);
    const message = `"${name}" is already the name of sections[${first}]`;
    return first === index ? [] : [{ path: ['sections', index, 'name'], message }];
  });
}

function faultsOfPriceLevels({ sections, priceLevels }: VenueLayout): Fault[] {
  return sections.flatMap(({ blocks }, section) =>
    blocks.flatMap(({ priceLevel }, block) => {
      const path = ['sections', section, 'blocks', block, 'priceLevel'];
      const message = `is ${priceLevel}, but priceLevels has only ${priceLevels.length} (the first is 0)`;
      return priceLevel < priceLevels.length ? [] : [{ path, message }];
    }),
  );
}

/** One fault per section: a wrong number usually throws all its seats out of the venue. */
function faultsOfPlaces(layout: VenueLayout): Fault[] {
  const map = seatMapOf(layout);
  return map.sections.flatMap(({ index, start, seatCount }) => {
    for (let seat = start; seat < start + seatCount; seat++) {
      const x = map.x[seat] ?? NaN;
      const y = map.y[seat] ?? NaN;
      if (x >= 0 && y >= 0 && x <= layout.width && y <= layout.height) continue;
      const called = seatName(map, seat);
      const place = `row ${called?.row ?? '?'} seat ${called?.seat ?? '?'} lies at ${x.toFixed(2)}, ${y.toFixed(2)}`;
      return [{ path: ['sections', index], message: `${place}, outside ${layout.width} × ${layout.height}` }];
    }
    return [];
  });
}

function faultsOfSeatNames({ sections }: VenueLayout): Fault[] {
  return sections.flatMap(({ blocks }, index) => {
    const twice = firstSeatNamedTwice(blocks);
    return twice ? [{ path: ['sections', index, 'blocks'], message: `has ${twice} twice` }] : [];
  });
}

/** Two blocks may share a row (around an entrance), but never a seat number in it. */
function firstSeatNamedTwice(blocks: readonly RowBlock[]): string | null {
  const names = new Set<string>();
  for (const block of blocks) {
    const { rows, firstRow, firstSeat = 1 } = block;
    for (let step = 0; step < rows; step++) {
      const end = firstSeat + seatsInRow(block, step);
      for (let number = firstSeat; number < end; number++) {
        const called = `row ${rowLabel(firstRow, step)} seat ${number}`;
        if (names.has(called)) return called;
        names.add(called);
      }
    }
  }
  return null;
}
