import type { Refused } from '@stampede/shared/client/client-view.ts';
import type { HoldEndReason } from '@stampede/shared/protocol/messages.ts';
import { HELD } from '@stampede/shared/seat-map/seat-status.ts';
import { createContext } from 'svelte';
import type { Locale } from '#lib/i18n/locale.svelte.ts';
import type { NoticeAction, Notices } from '#lib/notices/notices.svelte.ts';
import { nearestSeats } from '#lib/seat-map/nearest-seats.ts';
import { inSeatOrder } from '#lib/seat-map/seat-order.ts';
import { refusalWords } from './refusal-words.ts';
import type { Sale } from './sale.svelte.ts';

/** What a buyer does with seats, and what they are told about how it went. */
export class SeatActions {
  readonly #sale: Sale;
  readonly #notices: Notices;
  readonly #locale: Locale;

  constructor(sale: Sale, notices: Notices, locale: Locale) {
    this.#sale = sale;
    this.#notices = notices;
    this.#locale = locale;
  }

  async join(): Promise<void> {
    const answer = await this.#sale.join();
    if (!answer.ok) this.refused(answer);
  }

  /** A free seat is held, one's own is given back; one that is taken or on its way is left alone. */
  press(seat: number): void {
    if (this.#sale.pending.has(seat)) return;
    if (this.#sale.mine.has(seat)) void this.giveBack([seat]);
    else if (this.#sale.canBeOffered([seat])) void this.take([seat]);
  }

  async take(seats: readonly number[]): Promise<void> {
    const answer = await this.#sale.take(seats);
    if (answer.ok) this.#notices.say(this.#t.notice.held(this.#namesOf(seats)));
    else if (answer.code === 'seat-taken') this.#offerNext(seats, answer.seats);
    else this.refused(answer);
  }

  async giveBack(seats: readonly number[]): Promise<void> {
    const answer = await this.#sale.giveBack(seats);
    if (answer.ok) this.#notices.say(this.#t.notice.released(this.#namesOf(seats)));
    else this.refused(answer);
  }

  async extend(): Promise<void> {
    const answer = await this.#sale.extend();
    if (answer.ok) this.#notices.show(this.#t.notice.extended, { tone: 'good' });
    else this.refused(answer);
  }

  /** A limit on a payment is one of its tries, not of seats. */
  paymentRefused(refused: Refused): void {
    if (refused.code !== 'limit-exceeded') {
      this.refused(refused);
      return;
    }
    const { tooManyTries, tooManyTriesAdvice } = this.#t.notice;
    this.#notices.show(tooManyTries, { tone: 'bad', advice: tooManyTriesAdvice });
  }

  refused(refused: Refused): void {
    const { seatsPerBuyer } = this.#sale;
    const words = refusalWords(refused, this.#t, seatsPerBuyer, this.#locale.number(seatsPerBuyer));
    this.#notices.show(words.title, { tone: 'bad', advice: words.advice });
  }

  /** Tells of a hold that ended without the buyer's doing. Its seats aren't offered: others may take them first. */
  holdEnded(reason: HoldEndReason, wasPaying: boolean): void {
    const { notice } = this.#t;
    if (reason === 'lost') this.#notices.show(notice.holdLost, { tone: 'bad' });
    if (reason !== 'expired') return;
    if (wasPaying) {
      this.#notices.show(notice.paymentLapsed, { tone: 'bad', advice: notice.paymentLapsedAdvice });
      return;
    }
    this.#notices.show(notice.holdExpired, { tone: 'bad', advice: notice.holdExpiredAdvice });
  }

  get #t() {
    return this.#locale.t;
  }

  #namesOf(seats: readonly number[]): string {
    return inSeatOrder(this.#sale.map, seats)
      .map((seat) => {
        const { row, seat: number } = this.#sale.nameOf(seat);
        return this.#t.choose.seat(row, number);
      })
      .join(' + ');
  }

  #offerNext(wanted: readonly number[], taken: readonly number[]): void {
    const { map } = this.#sale;
    const section = map.sections[map.sectionOf[wanted[0] ?? 0] ?? 0];
    const statuses = section && this.#sale.statusesOf(section.index)?.slice();
    // The refusal outruns the broadcast that shows these seats as held: they must not be offered once more.
    for (const seat of taken) if (section && statuses) statuses[seat - section.start] = HELD;
    const next = section && statuses ? nearestSeats(map, section, statuses, wanted) : null;
    const { notice } = this.#t;
    if (!next) {
      this.#notices.show(notice.takenAll, { tone: 'bad' });
      return;
    }
    const action = this.#offer(notice.nextBest(this.#namesOf(next)), next);
    this.#notices.show(notice.taken, { tone: 'bad', action });
  }

  /** An offer that is gone as soon as one of its seats is. */
  #offer(label: string, seats: readonly number[]): NoticeAction {
    return { label, run: () => void this.take(seats), isOpen: () => this.#sale.canBeOffered(seats) };
  }
}

export const [getActions, setActions] = createContext<SeatActions>();
