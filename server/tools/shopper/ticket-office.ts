import { seatMapOf, type SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { phaseNumbers, type Phase } from '@stampede/shared/protocol/messages.ts';
import { unpackStatuses } from '@stampede/shared/seat-map/seat-status.ts';
import { z } from 'zod';
import { parseVenueLayout } from '../../src/catalog/venue-layout-file.ts';
import { errorKind, type HttpAnswer, httpCall, type SourceAddress } from './sockets.ts';
import { TaskError } from '../tasks/task.ts';

/** The show the crowd came for, with all that its buyers need to choose and pay. */
export interface CrowdShow {
  readonly id: number;
  readonly title: string;
  readonly phase: Phase;
  /** Milliseconds since the Unix epoch. */
  readonly opensAt: number;
  readonly seatsPerBuyer: number;
  /** Hash of the server's secret of this show. */
  readonly drawCommitment: string;
  readonly map: SeatMap;
  /** Minor units by price level. */
  readonly prices: readonly number[];
}

const PHASES = Object.keys(phaseNumbers) as readonly Phase[];

const showList = z.array(z.object({ id: z.int(), title: z.string(), venue: z.string() }));
const showDetail = z.object({
  id: z.int(),
  title: z.string(),
  phase: z.enum(PHASES),
  opensAt: z.iso.datetime(),
  seatsPerBuyer: z.int().min(1),
  drawCommitment: z.string(),
});
const showLayout = z.object({
  layout: z.unknown(),
  priceLevels: z.array(z.object({ amount: z.int().min(0) })),
});
const seatList = z.object({ sections: z.array(z.object({ statuses: z.base64() })) });
const sessionCreated = z.object({ bearer: z.string() });

/**
 * Finds a show by its number, or by a part of its title or venue.
 * @throws TaskError if the server can't be reached, is another one, or the name fits none or several shows
 */
export async function findShow(server: URL, wanted: string): Promise<CrowdShow> {
  const shows = read(server, showList, await get(server, '/api/shows'));
  const id = pickShow(shows, wanted);
  const detail = read(server, showDetail, await get(server, `/api/shows/${id}`));
  const { layout, priceLevels } = read(server, showLayout, await get(server, `/api/shows/${id}/layout`));
  return {
    ...detail,
    opensAt: Date.parse(detail.opensAt),
    map: seatMapOf(parseVenueLayout(JSON.stringify(layout), `layout of show ${id}`)),
    prices: priceLevels.map((level) => level.amount),
  };
}

/** The show as the first gateway tells it; the others must sell the same. */
export async function findSharedShow(
  [first, ...others]: readonly [URL, ...URL[]],
  wanted: string,
): Promise<CrowdShow> {
  const show = await findShow(first, wanted);
  for (const other of others) {
    const { drawCommitment } = await findShow(other, String(show.id));
    if (drawCommitment === show.drawCommitment) continue;
    throw new TaskError(`--url: ${other.origin} and ${first.origin} sell different shows.`);
  }
  return show;
}

/**
 * The status of each seat of a show as its server tells it now.
 * @throws TaskError if the server can't be reached or talks of another show
 */
export async function readSeatStatuses(server: URL, { id, map }: CrowdShow): Promise<Uint8Array> {
  const { sections } = read(server, seatList, await get(server, `/api/shows/${id}/seats`));
  const statuses = new Uint8Array(map.seatCount);
  for (const [index, { start, seatCount }] of map.sections.entries()) {
    const packed = Buffer.from(sections[index]?.statuses ?? '', 'base64');
    const unpacked = unpackStatuses(packed, seatCount);
    if (!unpacked) throw new TaskError(`--url: ${server.origin} tells seats that don't fit their layout.`);
    statuses.set(unpacked, start);
  }
  return statuses;
}

/** A show as the list has it. */
export interface ListedShow {
  readonly id: number;
  readonly title: string;
  readonly venue: string;
}

/**
 * The id of the one show meant: by its number, a part of its title, or a part of its venue.
 * @throws TaskError listing what there is
 */
export function pickShow(shows: readonly ListedShow[], wanted: string): number {
  const byId = shows.find((show) => String(show.id) === wanted);
  if (byId) return byId.id;
  const fragment = wanted.toLowerCase();
  const titled = shows.filter((show) => show.title.toLowerCase().includes(fragment));
  const housed = shows.filter((show) => show.venue.toLowerCase().includes(fragment));
  const [found, ...more] = titled.length > 0 ? titled : housed;
  if (found && more.length === 0) return found.id;
  const list = (some: readonly ListedShow[]): string =>
    some.map(({ id, title }) => `${id} "${title}"`).join(', ');
  throw new TaskError(
    found
      ? `--show: ${JSON.stringify(wanted)} fits several shows: ${list([found, ...more])}.`
      : `--show: no show is called ${JSON.stringify(wanted)}. There are: ${list(shows) || 'none'}.`,
  );
}

/** What became of asking for a session. */
export type SessionAnswer =
  | { readonly kind: 'session'; readonly bearer: string }
  /** Ask again after so many milliseconds. */
  | { readonly kind: 'later'; readonly retryAfterMs: number }
  | { readonly kind: 'failed'; readonly reason: string };

const MS_PER_SECOND = 1_000;
const STATUS_CREATED = 201;
const STATUS_LIMITED = 429;
const STATUS_BUSY = 503;

/** Asks for a buyer session, once. Never rejects. */
export async function askForSession(server: URL, source: SourceAddress): Promise<SessionAnswer> {
  let answer: HttpAnswer;
  try {
    answer = await httpCall(new URL('/api/sessions', server), {
      method: 'POST',
      source,
      json: { bearer: true },
    });
  } catch (cause) {
    return { kind: 'failed', reason: errorKind(cause) };
  }
  if (answer.status === STATUS_LIMITED || answer.status === STATUS_BUSY) {
    return { kind: 'later', retryAfterMs: (answer.retryAfterSeconds ?? 1) * MS_PER_SECOND };
  }
  const created = sessionCreated.safeParse(parsedJson(answer.body));
  return answer.status === STATUS_CREATED && created.success
    ? { kind: 'session', bearer: created.data.bearer }
    : { kind: 'failed', reason: `status ${answer.status}` };
}

async function get(server: URL, path: string): Promise<string> {
  let answer: HttpAnswer;
  try {
    answer = await httpCall(new URL(path, server), { method: 'GET', source: null });
  } catch (cause) {
    throw new TaskError(
      `--url: no server answers at ${server.origin} (${errorKind(cause)}). Is it running?`,
      {
        cause,
      },
    );
  }
  if (answer.status === STATUS_LIMITED) {
    const seconds = answer.retryAfterSeconds ?? 60;
    throw new TaskError(
      `--url: ${server.origin} had too many calls from this machine; try again in ${seconds} s.`,
    );
  }
  if (answer.status !== 200) {
    throw new TaskError(
      `--url: ${server.origin}${path} answered with status ${answer.status}. Is it Stampede?`,
    );
  }
  return answer.body;
}

function read<T>(server: URL, schema: z.ZodType<T>, body: string): T {
  const parsed = schema.safeParse(parsedJson(body));
  if (parsed.success) return parsed.data;
  throw new TaskError(`--url: ${server.origin} answers, but not as Stampede does.`, { cause: parsed.error });
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
