import type { Clock } from '@stampede/shared/platform/clock.ts';
import type {
  PriceLevel,
  SectionSeats,
  ShowDetail,
  ShowLayout,
  ShowList,
  ShowSeats,
  ShowSummary,
} from '@stampede/shared/protocol/http.ts';
import type { Phase } from '@stampede/shared/protocol/messages.ts';
import type { FeedPosition } from '@stampede/shared/seat-map/section-feed.ts';
import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { Show } from '../catalog/show.ts';
import { type ShowId, showId } from '../platform/ids.ts';
import { drawCommitment } from '../waiting-room/draw-score.ts';
import type { HttpExchange, ResponseHeaders } from './http-exchange.ts';
import { JsonRepresentation, PassingJson } from './http-representation.ts';

/** A show's seats as this node knows them. */
export interface SeatView {
  readonly epoch: number;
  readonly freeSeats: number;
  /** A section's packed statuses and where in its history they stand. */
  snapshot(section: number): FeedPosition & { readonly packed: Uint8Array };
  /** Of every section. */
  summaries(): readonly SectionSummary[];
}

/** A show as it stands on this node. */
export interface LiveShow {
  readonly show: Show;
  readonly board: SeatView;
  phase(): Phase;
}

/** The shows of this node. */
export interface ShowDirectory {
  /** In the order to be listed. */
  list(): readonly LiveShow[];
  get(id: ShowId): LiveShow | undefined;
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
  readonly seats: PassingJson;
  /** Made when first asked for: compressing it well takes its time. */
  layout: JsonRepresentation | null;
}

/** Answers what a page asks about shows before its socket is there. */
export class ShowRoutes {
  readonly #shows: ShowDirectory;
  readonly #clock: Clock;
  readonly #list: PassingJson;
  /** By the show itself, so that an edited show forgets its answers. */
  readonly #answers = new WeakMap<Show, ShowAnswers>();

  constructor(shows: ShowDirectory, clock: Clock) {
    this.#shows = shows;
    this.#clock = clock;
    this.#list = new PassingJson(PASSING_MS, (): ShowList => shows.list().map(showSummary));
  }

  /** `GET /api/shows`. */
  list(exchange: HttpExchange): void {
    exchange.represent(this.#list.at(this.#clock.now()), PASSING);
  }

  /** `GET /api/shows/{id}`. */
  detail(exchange: HttpExchange): void {
    const live = this.#asked(exchange);
    if (live) exchange.represent(this.#answersOf(live).detail.at(this.#clock.now()), PASSING);
  }

  /** `GET /api/shows/{id}/seats`. */
  seats(exchange: HttpExchange): void {
    const live = this.#asked(exchange);
    if (live) exchange.represent(this.#answersOf(live).seats.at(this.#clock.now()), PASSING);
  }

  /** `GET /api/shows/{id}/layout`. */
  layout(exchange: HttpExchange): void {
    const live = this.#asked(exchange);
    if (!live) return;
    const answers = this.#answersOf(live);
    answers.layout ??= new JsonRepresentation(showLayout(live.show), 'lasting');
    exchange.represent(answers.layout, LASTING);
  }

  /** The show of a number as a path writes it. */
  find(text: string): LiveShow | undefined {
    const number = SHOW_NUMBER.test(text) ? Number(text) : 0;
    const isShowId = number > 0 && number <= SHOW_NUMBER_MAX;
    return isShowId ? this.#shows.get(showId(number)) : undefined;
  }

  /** The show that the path names; if there is none, says so. */
  #asked(exchange: HttpExchange): LiveShow | undefined {
    const live = this.find(exchange.parameter);
    if (!live) exchange.refuse(404, 'show-unknown', 'There is no such show.');
    return live;
  }

  #answersOf(live: LiveShow): ShowAnswers {
    const known = this.#answers.get(live.show);
    if (known) return known;
    const answers: ShowAnswers = {
      detail: new PassingJson(PASSING_MS, () => showDetail(live)),
      seats: new PassingJson(PASSING_MS, () => showSeats(live)),
      layout: null,
    };
    this.#answers.set(live.show, answers);
    return answers;
  }
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

function showSummary(live: LiveShow): ShowSummary {
  const { id, title, subtitle, layout, startsAt, sale, seatMap, currency, prices } = live.show;
  return {
    id,
    title,
    subtitle,
    venue: layout.name,
    city: layout.city,
    startsAt: iso(startsAt),
    timeZone: layout.timeZone ?? 'UTC',
    phase: live.phase(),
    lobbyAt: iso(sale.lobbyAt),
    opensAt: iso(sale.opensAt),
    seatCount: seatMap.seatCount,
    freeSeats: live.board.freeSeats,
    currency,
    priceFrom: Math.min(...prices),
    priceTo: Math.max(...prices),
  };
}

function showDetail(live: LiveShow): ShowDetail {
  const { show } = live;
  const summary = showSummary(live);
  // The seed decides ranks until the opening: whoever knew it could pick a session that wins the draw.
  const isDrawn = summary.phase !== 'scheduled' && summary.phase !== 'lobby';
  return {
    ...summary,
    description: show.description,
    priceLevels: priceLevels(show),
    seatsPerBuyer: show.sale.seatsPerBuyer,
    holdLifetimeMs: show.sale.holdLifetimeMs,
    drawCommitment: drawCommitment(show.drawSeed),
    drawSeed: isDrawn ? show.drawSeed : null,
  };
}

function priceLevels(show: Show): PriceLevel[] {
  return show.layout.priceLevels.map((name, level) => ({ name, amount: show.prices[level] ?? 0 }));
}

function showLayout(show: Show): ShowLayout {
  return { show: show.id, layout: show.layout, priceLevels: priceLevels(show) };
}

function showSeats({ show, board }: LiveShow): ShowSeats {
  const summaries = board.summaries();
  const sections = show.seatMap.sections.map(({ index, name, seatCount }): SectionSeats => {
    const { sequence, packed } = board.snapshot(index);
    const free = summaries[index]?.free ?? 0;
    return { name, seatCount, free, sequence, statuses: Buffer.from(packed).toString('base64') };
  });
  return { show: show.id, epoch: board.epoch, sections };
}
