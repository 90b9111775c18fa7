import assert from 'node:assert/strict';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { AVAILABLE, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import {
  type HoldToken,
  holdToken,
  type OrderId,
  type SeatIndex,
  type SessionId,
  type ShowId,
} from '../platform/ids.ts';
import { checkoutsOf, forgetCheckouts, writeCheckouts } from './mysql-checkout-rows.ts';
import { writeDraft } from './mysql-feed-rows.ts';
import { enterNotes, writeNotes } from './mysql-seat-notes.ts';
import {
  boughtBy,
  claimText,
  holdOfToken,
  holdsOfSessions,
  newNumbers,
  pastDeadline,
  type SeatRow,
  seatsOf,
  writeHolds,
  writeSeats,
} from './mysql-seat-rows.ts';
import { type LiveHold, type RememberedCheckout, SeatBooks } from './seat-books.ts';
import type { Taker } from './seat-notes.ts';
import type { SeatRules } from './seat-store.ts';
import type { FeedEntry } from './show-feed.ts';

/** Reads the instant of a step in its transaction. */
export type TellTime = (entities: SqlEntityManager) => Promise<number>;

/** The part of a show that a step is about. */
export interface StepScope {
  /** Those whose holds may change. */
  readonly sessions?: readonly SessionId[];
  /** Or the one hold with this token. */
  readonly token?: HoldToken;
  /** Orders whose checkouts may change. */
  readonly orders?: readonly OrderId[];
  /** Seats that may change besides those of the holds. */
  readonly seats?: readonly SeatIndex[];
  /** Those who may take seats. */
  readonly takers?: readonly Taker[];
  /** Whose holds on the seats may change besides: of those whose time is over (default), or of anybody. */
  readonly holders?: 'past-deadline' | 'anybody';
  /** Given where the sessions may take seats: what the tokens of holds that they begin are counted from. */
  readonly newHoldsFrom?: number;
}

/**
 * One atomic step on a part of a show: its rows are locked, entered in books, changed by decisions, and what changed
 * is written back together with what the feed must tell.
 *
 * Rows are locked with `nowait`: a step that meets another one fails at once and is tried again as a whole. So no
 * step waits for another's rows, whichever way round the two need them, and none holds a connection while waiting.
 */
export class SeatStep {
  readonly books: SeatBooks;
  /** The instant of the step. */
  readonly now: number;
  readonly #entities: SqlEntityManager;
  readonly #rules: SeatRules;
  readonly #entries: FeedEntry[] = [];
  readonly #holds = new Map<SessionId, string>();
  readonly #checkouts = new Map<OrderId, RememberedCheckout>();
  readonly #buyers = new Map<SeatIndex, SessionId | null>();
  readonly #tokens: HoldToken[];

  private constructor(
    entities: SqlEntityManager,
    rules: SeatRules,
    tokens: readonly HoldToken[],
    now: number,
  ) {
    this.now = now;
    this.#entities = entities;
    this.#rules = rules;
    this.#tokens = [...tokens];
    this.books = new SeatBooks({
      seatCount: rules.seatCount,
      nextToken: () => {
        const token = this.#tokens.shift();
        assert(token !== undefined, 'a step has as many tokens as it begins holds');
        return token;
      },
      emit: (entry) => this.#entries.push(entry),
      now: () => now,
    });
  }

  /** Locks and reads. Rejects with a conflict if another step has one of the rows. */
  static async begin(
    entities: SqlEntityManager,
    rules: SeatRules,
    scope: StepScope,
    tellTime: TellTime,
  ): Promise<SeatStep> {
    const { show } = rules;
    const { sessions = [], token, orders = [], seats = [], holders = 'past-deadline' } = scope;
    const holds = [
      ...(await holdsOfSessions(entities, show, [...new Set(sessions)].toSorted(), 'lock')),
      ...(token === undefined ? [] : await holdOfToken(entities, show, token)),
    ];
    const rows = await seatsOf(entities, show, [...new Set([...seats, ...seatsIn(holds)])], 'lock');
    const checkouts = await checkoutsOf(entities, show, orders);
    const now = await tellTime(entities);
    const others = strangersOf(rows, holds);
    const over = holders === 'anybody' ? others : await pastDeadline(entities, show, others, now);
    const otherHolds = await holdsOfSessions(entities, show, over.toSorted(), 'lock');
    const known = new Set(rows.map((row) => row.seat));
    const otherSeats = seatsIn(otherHolds).filter((seat) => !known.has(seat));
    const otherRows = await seatsOf(entities, show, otherSeats, 'lock');
    const step = new SeatStep(entities, rules, await newTokens(entities, show, scope, holds, now), now);
    if (scope.newHoldsFrom !== undefined) {
      // Now that everything is locked: before, an order of a session may have been settled in between.
      const bought = await boughtBy(entities, show, sessions);
      for (const [session, count] of bought) step.books.enterBought(session, count);
    }
    const locked = [...rows, ...otherRows];
    const noted = { seats: locked.map((row) => row.seat), takers: scope.takers ?? [] };
    await enterNotes(entities, show, step.books.notes, noted);
    for (const row of locked) step.#enterSeat(row);
    for (const hold of [...holds, ...otherHolds]) step.#enterHold(hold);
    for (const checkout of checkouts) step.#enterCheckout(checkout);
    return step;
  }

  /** Writes what the decisions changed. Returns whether the feed tells of anything. */
  async write(): Promise<boolean> {
    const { show } = this.#rules;
    const seats = this.#changedSeats();
    await writeSeats(this.#entities, show, seats);
    await writeNotes(
      this.#entities,
      show,
      this.books.notes,
      seats.map(({ seat }) => seat),
    );
    await writeHolds(this.#entities, show, this.#changedHolds());
    await this.#writeCheckouts();
    if (this.#entries.length === 0) return false;
    await writeDraft(this.#entities, show, this.#entries);
    return true;
  }

  #enterSeat({ seat, status, soldTo }: SeatRow): void {
    this.books.enterStatus(seat, status);
    this.#buyers.set(seat, soldTo);
  }

  #enterHold(hold: LiveHold): void {
    this.#holds.set(hold.session, textOf(hold));
    this.books.enter(hold);
  }

  #enterCheckout(checkout: RememberedCheckout): void {
    this.#checkouts.set(checkout.orderId, checkout);
    this.books.unsettled.set(checkout.orderId, checkout);
  }

  async #writeCheckouts(): Promise<void> {
    const { show } = this.#rules;
    const { unsettled } = this.books;
    const changed = [...unsettled.values()].filter((one) => this.#checkouts.get(one.orderId) !== one);
    await writeCheckouts(this.#entities, show, changed);
    const gone = [...this.#checkouts.keys()].filter((order) => !unsettled.has(order));
    await forgetCheckouts(this.#entities, show, gone);
  }

  #changedSeats(): Parameters<typeof writeSeats>[2] {
    const changes = new Map<SeatIndex, number>();
    for (const entry of this.#entries) {
      for (const { seat, status } of entry.changes) {
        changes.set(seat, (changes.get(seat) ?? 0) + 1);
        this.#buyers.set(seat, status === SOLD ? this.books.buyerOf(seat) : null);
      }
    }
    return [...changes]
      .map(([seat, count]) => ({
        seat,
        section: this.#rules.sectionOf[seat] ?? 0,
        // Only statuses were ever put there.
        status: (this.books.statuses[seat] ?? AVAILABLE) as SeatRow['status'],
        heldBy: this.books.ofSeat(seat)?.session ?? null,
        soldTo: this.#buyers.get(seat) ?? null,
        changes: count,
      }))
      .toSorted((a, b) => a.seat - b.seat);
  }

  #changedHolds(): Parameters<typeof writeHolds>[2] {
    const live = new Map([...this.books.holds()].map((hold) => [hold.session, hold]));
    const added = [...live.values()].filter((hold) => !this.#holds.has(hold.session));
    const changed = [...live.values()].filter((hold) => {
      const before = this.#holds.get(hold.session);
      return before !== undefined && before !== textOf(hold);
    });
    const ended = [...this.#holds.keys()].filter((session) => !live.has(session));
    const bySession = (a: LiveHold, b: LiveHold): number => (a.session < b.session ? -1 : 1);
    return {
      added: added.toSorted(bySession),
      changed: changed.toSorted(bySession),
      ended: ended.toSorted(),
    };
  }
}

/** Counted when everything is locked: of two steps on a seat the later has the higher tokens. */
async function newTokens(
  entities: SqlEntityManager,
  show: ShowId,
  { newHoldsFrom, sessions = [] }: StepScope,
  holds: readonly LiveHold[],
  now: number,
): Promise<readonly HoldToken[]> {
  if (newHoldsFrom === undefined) return [];
  const holding = holds.filter((hold) => hold.expiresAt > now).length;
  const numbers = await newNumbers(entities, show, new Set(sessions).size - holding);
  return numbers.map((number) => holdToken(newHoldsFrom + number));
}

function textOf(hold: LiveHold): string {
  return `${hold.holdToken} ${hold.expiresAt} ${claimText(hold)}`;
}

function seatsIn(holds: readonly LiveHold[]): readonly SeatIndex[] {
  return holds.flatMap((hold) => [...hold.prices.keys()]);
}

/** Holders of the seats whose holds aren't known yet. */
function strangersOf(rows: readonly SeatRow[], holds: readonly LiveHold[]): readonly SessionId[] {
  const known = new Set(holds.map((hold) => hold.session));
  const holders = rows.flatMap((row) => (row.heldBy === null || known.has(row.heldBy) ? [] : [row.heldBy]));
  return [...new Set(holders)];
}
