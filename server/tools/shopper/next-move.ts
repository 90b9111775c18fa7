import { AVAILABLE, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { chooseSeats, chooseSections, type Desirability } from './seat-choice.ts';
import type { Shopper } from './shopper.ts';

/** What a shopper can do next to get seats. */
export type Move =
  | { readonly do: 'click'; readonly seats: readonly number[] }
  | { readonly do: 'look'; readonly sections: readonly number[] }
  | { readonly do: 'wait' }
  /** What they wanted can't be had any more. */
  | { readonly do: 'give-up' };

/** Free neighbours, so many if there are; or one seat and no other. */
export type Wish = number | { readonly seat: number };

/** Sections looked at together by who finds nothing where they are: as much as fits a screen. */
const SECTIONS_WATCHED = 2;

/** @param lost seats just lost to somebody else, though the map may still show them free */
export function nextMove(
  shopper: Shopper,
  desirability: Desirability,
  wish: Wish,
  lost: ReadonlySet<number>,
): Move {
  const { map } = shopper.show;
  const { sections, summaries } = shopper.view;
  if (typeof wish !== 'number') {
    const { seat } = wish;
    const status = shopper.seatStatus(seat);
    // Who doesn't see the seat clicks it unseen once, and then has a look at it.
    if (status === undefined && lost.size > 0) return { do: 'look', sections: [map.sectionOf[seat] ?? 0] };
    if (status === undefined || (status === AVAILABLE && !lost.has(seat)))
      return { do: 'click', seats: [seat] };
    return { do: status === SOLD ? 'give-up' : 'wait' };
  }
  const seats = chooseSeats(
    { map, desirability, watched: sections, count: wish, avoid: lost },
    shopper.random,
  );
  if (seats.length > 0) return { do: 'click', seats };
  const mayBeElsewhere = (section: number): boolean =>
    !sections.has(section) && summaries.get(section)?.free !== 0;
  const elsewhere = chooseSections(desirability, mayBeElsewhere, SECTIONS_WATCHED, shopper.random);
  return elsewhere.length > 0 ? { do: 'look', sections: elsewhere } : { do: 'wait' };
}

/** Whether it makes sense to look again: something is free somewhere, or the one seat is or never will be. */
export function isHopeful(shopper: Shopper, wish: Wish): boolean {
  if (shopper.isSaleOver) return true;
  if (typeof wish !== 'number') {
    const status = shopper.seatStatus(wish.seat);
    return status === AVAILABLE || status === SOLD;
  }
  for (const { free } of shopper.view.summaries.values()) if (free > 0) return true;
  return false;
}
