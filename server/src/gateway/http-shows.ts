import type { Clock } from '@stampede/shared/platform/clock.ts';
import {
  type PriceLevel,
  type SectionSeats,
  type ShowDetail,
  showDetail,
  type ShowLayout,
  showLayout,
  type ShowList,
  showList,
  type ShowSeats,
  showSeats,
  type ShowSummary,
} from '@stampede/shared/protocol/http.ts';
import { z } from 'zod';
import type { ListedShow, Show } from '../catalog/show.ts';
import { venueLayout } from '../catalog/venue-layout-file.ts';
import { type ShowId, showId } from '../platform/ids.ts';
import type { Sale } from '../sale/sale.ts';
import type { ListedSale, Sales } from '../sale/sales.ts';
import type { SeatBoard } from '../sale/seat-board.ts';
import { drawCommitment } from '../waiting-room/draw-score.ts';
import type { Reading } from './http-api.ts';
import type { HttpExchange, ResponseHeaders } from './http-exchange.ts';
import { HttpRefusal } from './http-refusal.ts';
import { JsonRepresentation, PassingJson } from './http-representation.ts';

/** The shows that are told of. */
export interface ShowDirectory extends Pick<Sales, 'catalogue' | 'lastStartsAt' | 'listed' | 'show'> {
  /** Opens the show, if it isn't. */
  look(id: ShowId): Promise<Pick<Sale, 'show' | 'board'> | null | 'busy'>;
}

/** Answers about what changes all the time are made at most this often, and may be kept as long by others. */
const PASSING_MS = 1_000;
const PASSING: ResponseHeaders = { 'Cache-Control': 'public, max-age=1' };
/** A show's layout never changes; an hour only, because a catalogue that is set up anew counts from 1 again. */
const LASTING: ResponseHeaders = { 'Cache-Control': 'public, max-age=3600' };

const SHOW_NUMBER = /^[1-9]\d{0,9}$/;
const SHOW_NUMBER_MAX = 2 ** 32 - 1;

/** What is told about one show, each in the encoding it was last sent in. */
interface ShowAnswers {
  readonly detail: PassingJson;
  /** Made when first asked for: compressing it well takes its time. */
  layout: JsonRepresentation | null;
}

/** What a page asks about shows before its socket is there (PROTOCOL.md, 11). */
export function showReadings(shows: ShowDirectory, clock: Clock): readonly Reading[] {
  const list = new PassingJson(PASSING_MS, (): ShowList => shows.catalogue().map(tellSummary));
  /** By the show itself, so that an edited show forgets its answers. */
  const known = new WeakMap<ListedShow, ShowAnswers>();
  const seats = new WeakMap<SeatBoard, PassingJson>();
  const asked = ({ parameter }: HttpExchange): ListedSale => {
    const live = findShow(shows, parameter);
    if (!live) throw showUnknown();
    return live;
  };
  const answersOf = (live: ListedSale): ShowAnswers => {
    const answers = known.get(live.show) ?? {
      detail: new PassingJson(PASSING_MS, () => tellDetail(live)),
      layout: null,
    };
    known.set(live.show, answers);
    return answers;
  };
  const layoutOf = async (live: ListedSale): Promise<JsonRepresentation> => {
    const known = answersOf(live).layout;
    if (known) return known;
    const show = await orRefuse(shows.show(live.show.id));
    // Of all who waited for the same load, the first one makes it.
    return (answersOf(live).layout ??= new JsonRepresentation(tellLayout(show), 'lasting'));
  };
  const seatsOf = async ({ show: { id } }: ListedSale): Promise<PassingJson> => {
    const { show, board } = await orRefuse(shows.look(id));
    const answer = seats.get(board) ?? new PassingJson(PASSING_MS, () => tellSeats(show, board));
    seats.set(board, answer);
    return answer;
  };
  const path = '/api/shows';
  return [
    {
      path,
      about: 'All shows',
      schema: showList,
      answer: (exchange) => exchange.represent(list.at(clock.now()), PASSING),
    },
    {
      path: `${path}/{id}`,
      about: 'A show',
      schema: showDetail,
      answer: (exchange) => exchange.represent(answersOf(asked(exchange)).detail.at(clock.now()), PASSING),
    },
    {
      path: `${path}/{id}/seats`,
      about: "Every seat's status at one moment",
      schema: showSeats,
      answer: async (exchange) => {
        const passing = await seatsOf(asked(exchange));
        exchange.represent(passing.at(clock.now()), PASSING);
      },
    },
    {
      path: `${path}/{id}/layout`,
      about: 'Where the seats are',
      // By the schema's own hand: the document's doesn't know that an exact optional may be left out.
      schema: showLayout.extend({ layout: showLayout.shape.layout.meta(z.toJSONSchema(venueLayout)) }),
      answer: async (exchange) => {
        exchange.represent(await layoutOf(asked(exchange)), LASTING);
      },
    },
  ];
}

function showUnknown(): HttpRefusal {
  return new HttpRefusal(404, 'show-unknown', 'There is no such show.');
}

/** What parts were asked for that may be away for a moment, or a show that was deleted this moment. */
async function orRefuse<T extends object>(asked: Promise<T | null | 'busy'>): Promise<T> {
  const busy = (cause?: unknown): HttpRefusal => {
    const details = { headers: { 'Retry-After': '1' }, cause };
    return new HttpRefusal(503, 'busy', 'This show can not be told right now; try again.', details);
  };
  const found = await asked.catch((cause: unknown) => {
    throw busy(cause);
  });
  if (found === 'busy') throw busy();
  if (!found) throw showUnknown();
  return found;
}

/** The show of a number as a path writes it. */
export function findShow(shows: ShowDirectory, text: string): ListedSale | undefined {
  const number = SHOW_NUMBER.test(text) ? Number(text) : 0;
  return number > 0 && number <= SHOW_NUMBER_MAX ? shows.listed(showId(number)) : undefined;
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

function tellSummary(live: ListedSale): ShowSummary {
  const { id, title, subtitle, venue, startsAt, sale, currency, prices } = live.show;
  return {
    id,
    title,
    subtitle,
    venue: venue.name,
    city: venue.city,
    startsAt: iso(startsAt),
    timeZone: venue.timeZone,
    phase: live.phase(),
    lobbyAt: iso(sale.lobbyAt),
    opensAt: iso(sale.opensAt),
    seatCount: venue.seatCount,
    freeSeats: live.freeSeats,
    currency,
    priceFrom: Math.min(...prices),
    priceTo: Math.max(...prices),
  };
}

function tellDetail(live: ListedSale): ShowDetail {
  const { show } = live;
  const summary = tellSummary(live);
  // The seed decides ranks until the opening: whoever knew it could pick a session that wins the draw.
  const isDrawn = summary.phase !== 'scheduled' && summary.phase !== 'lobby';
  return {
    ...summary,
    description: show.description,
    priceLevels: priceLevels(show.prices, show.venue.priceLevels),
    seatsPerBuyer: show.sale.seatsPerBuyer,
    holdLifetimeMs: show.sale.holdLifetimeMs,
    drawCommitment: drawCommitment(show.drawSeed),
    drawSeed: isDrawn ? show.drawSeed : null,
  };
}

function priceLevels(prices: readonly number[], names: readonly string[]): PriceLevel[] {
  return names.map((name, level) => ({ name, amount: prices[level] ?? 0 }));
}

function tellLayout(show: Show): ShowLayout {
  return {
    show: show.id,
    layout: show.layout,
    priceLevels: priceLevels(show.prices, show.layout.priceLevels),
  };
}

function tellSeats(show: Show, board: SeatBoard): ShowSeats {
  const summaries = board.summaries();
  const sections = show.seatMap.sections.map(({ index, name, seatCount }): SectionSeats => {
    const { sequence, packed } = board.snapshot(index);
    const free = summaries[index]?.free ?? 0;
    return { name, seatCount, free, sequence, statuses: Buffer.from(packed).toString('base64') };
  });
  return { show: show.id, epoch: board.epoch, sections };
}
