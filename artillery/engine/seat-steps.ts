import { AVAILABLE, SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { PACES, thinkTime } from '../../server/tools/crowd/pace.ts';
import { chooseSeats, chooseSections, statusOf } from '../../server/tools/crowd/seat-choice.ts';
import type { StepOf } from './flow.ts';
import type { StepResult, VirtualBuyer } from './virtual-buyer.ts';

/** Sections looked at together by who finds nothing where they are. */
const SECTIONS_WATCHED = 2;

/** What a buyer can do next to get seats. */
type Move =
  | { readonly do: 'click'; readonly seats: readonly number[] }
  | { readonly do: 'look'; readonly sections: readonly number[] }
  | { readonly do: 'wait' }
  /** What they wanted can't be had any more. */
  | { readonly do: 'give-up' };

export async function watch(buyer: VirtualBuyer, sections: number | 'contested'): Promise<StepResult> {
  const { desirability, show, contestedSeat } = buyer.house;
  const chosen =
    sections === 'contested'
      ? [show.map.sectionOf[contestedSeat] ?? 0]
      : chooseSections(desirability, () => true, sections, buyer.identity.random);
  const answer = await buyer.ask('watch', () => buyer.client.watch(chosen));
  return answer.ok ? 'ok' : answer.code;
}

/** Chooses seats and holds them; where others are faster, chooses again. */
export async function holdSeats(
  buyer: VirtualBuyer,
  { seats, attempts, patience }: StepOf<'hold'>['options'],
): Promise<StepResult> {
  const { metrics, stopwatch } = buyer.house;
  const giveUpAt = stopwatch() + patience * 1_000;
  const wish = seats === 'contested' ? seats : Math.round(buyer.pick(seats));
  let lost: ReadonlySet<number> = new Set();
  for (let tries = 0; tries < attempts;) {
    if (buyer.isSaleOver) return 'over';
    const secondsLeft = (giveUpAt - stopwatch()) / 1_000;
    if (secondsLeft <= 0) return 'none-free';
    const move = nextMove(buyer, wish, lost);
    if (move.do === 'give-up') return 'over';
    if (move.do !== 'click') {
      if (move.do === 'look') await buyer.ask('watch', () => buyer.client.watch(move.sections));
      else await buyer.until(() => isHopeful(buyer, wish), secondsLeft);
      lost = new Set();
      // News of single seats and of whole sections come apart: a moment later they agree.
      await buyer.pause(thinkTime(PACES.fast.again, buyer.identity.random));
      continue;
    }
    tries++;
    const answer = await buyer.ask('hold', () => buyer.client.hold(move.seats));
    if (answer.ok) {
      metrics.count('seats_held', move.seats.length);
      buyer.become('holding');
      return 'ok';
    }
    if (answer.code === 'sold-out' || answer.code === 'sale-closed') return 'over';
    if (answer.code !== 'seat-taken') return answer.code;
    metrics.count('seats_taken');
    lost = new Set(answer.seats);
    await buyer.pause(thinkTime(PACES.fast.again, buyer.identity.random));
  }
  return 'seat-taken';
}

function nextMove(buyer: VirtualBuyer, wish: number | 'contested', lost: ReadonlySet<number>): Move {
  const { show, desirability, contestedSeat } = buyer.house;
  const { sections, summaries } = buyer.client.view;
  const { random } = buyer.identity;
  if (wish === 'contested') {
    const status = statusOf(show.map, sections, contestedSeat);
    // Who doesn't see the seat clicks it unseen once, and then has a look at it.
    if (status === undefined) {
      if (lost.size === 0) return { do: 'click', seats: [contestedSeat] };
      return { do: 'look', sections: [show.map.sectionOf[contestedSeat] ?? 0] };
    }
    if (status === AVAILABLE) return { do: 'click', seats: [contestedSeat] };
    return { do: status === SOLD ? 'give-up' : 'wait' };
  }
  const seats = chooseSeats(
    { map: show.map, desirability, watched: sections, count: wish, avoid: lost },
    random,
  );
  if (seats.length > 0) return { do: 'click', seats };
  const mayBeElsewhere = (section: number): boolean =>
    !sections.has(section) && summaries.get(section)?.free !== 0;
  const elsewhere = chooseSections(desirability, mayBeElsewhere, SECTIONS_WATCHED, random);
  return elsewhere.length > 0 ? { do: 'look', sections: elsewhere } : { do: 'wait' };
}

/** Whether it makes sense to look again. */
function isHopeful(buyer: VirtualBuyer, wish: number | 'contested'): boolean {
  if (buyer.isSaleOver) return true;
  const { sections, summaries } = buyer.client.view;
  if (wish === 'contested') {
    const status = statusOf(buyer.house.show.map, sections, buyer.house.contestedSeat);
    return status === AVAILABLE || status === SOLD;
  }
  for (const { free } of summaries.values()) if (free > 0) return true;
  return false;
}

export async function extend(buyer: VirtualBuyer): Promise<StepResult> {
  const answer = await buyer.ask('extend', () => buyer.client.extend());
  return answer.ok ? 'ok' : answer.code;
}

/** Gives the last `count` seats of the hold back, or all of them. */
export async function release(buyer: VirtualBuyer, count: number | undefined): Promise<StepResult> {
  const held = buyer.client.view.hold?.seats ?? [];
  const seats = count === undefined ? [] : held.slice(-count);
  const answer = await buyer.ask('release', () => buyer.client.release(seats));
  if (!buyer.client.view.hold) buyer.become('shopping');
  return answer.ok ? 'ok' : answer.code;
}
