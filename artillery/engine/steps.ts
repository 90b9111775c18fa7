import type { Answer } from '@stampede/shared/client/stampede-client.ts';
import type { OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { toldSeatsOf } from '../../server/tools/crowd/ledger.ts';
import { isHopeful, nextMove, type Wish } from '../../server/tools/shopper/next-move.ts';
import { PACES, thinkTime } from '../../server/tools/shopper/pace.ts';
import { chooseSections } from '../../server/tools/shopper/seat-choice.ts';
import type { StepName, StepOf } from './flow.ts';
import { lostOf, stateToKeep } from './kept-state.ts';
import type { RequestName } from './load-metrics.ts';
import type { StepResult, Walker } from './walker.ts';

/** The office asks for patience rather than refusing; so often it is believed. */
const SESSION_ATTEMPTS_MAX = 5;
/** After a decline the hold comes back within this, or it has run out. */
const HOLD_RETURN_MS = 5_000;
const MS_PER_SECOND = 1_000;

type Options<Name extends StepName> = StepOf<Name>['options'];

/** What each step of a flow does. */
export const STEPS: {
  readonly [Name in StepName]: (walker: Walker, options: Options<Name>) => Promise<StepResult>;
} = {
  connect,
  join,
  await: awaitSomething,
  watch: (walker, { sections }) => {
    const { desirability, show, contestedSeat } = walker.house;
    const chosen =
      sections === 'contested'
        ? [show.map.sectionOf[contestedSeat] ?? 0]
        : chooseSections(desirability, () => true, sections, walker.identity.random);
    return request(walker, 'watch', () => walker.shopper.client.watch(chosen));
  },
  hold: holdSeats,
  extend: (walker) => request(walker, 'extend', () => walker.shopper.client.extend()),
  /** Gives the last seats of the hold back, or all of them. */
  release: async (walker, { seats: count }) => {
    const { client, hold } = walker.shopper;
    const seats = count === undefined ? [] : (hold?.seats ?? []).slice(-count);
    const result = await request(walker, 'release', () => client.release(seats));
    if (!walker.shopper.hold) walker.become('shopping');
    return result;
  },
  checkout: checkOut,
  orders: (walker) => request(walker, 'orders', () => walker.shopper.client.listOrders()),
  /** Loses the connection. What was there is remembered, for `resume` to compare. */
  drop: async (walker) => {
    walker.kept = stateToKeep(walker.shopper.view);
    walker.keptAt = walker.house.stopwatch();
    walker.house.metrics.count('drops');
    walker.become('away');
    walker.cut();
    return 'ok';
  },
  resume,
  leave: async (walker) => {
    const result = await request(walker, 'leave', () => walker.shopper.client.leave());
    walker.become('outside');
    return result;
  },
  think: async (walker, span) => {
    await walker.pause(walker.pick(span) * MS_PER_SECOND);
    return 'ok';
  },
  expect: async (walker, wanted) => check(walker, wanted),
};

async function request(walker: Walker, name: RequestName, send: () => Promise<Answer>): Promise<StepResult> {
  const answer = await walker.ask(name, send);
  return answer.ok ? 'ok' : answer.code;
}

/** A session, a socket, and the show with all that the server has to tell of it. */
async function connect(walker: Walker): Promise<StepResult> {
  const bearer = await openSession(walker);
  if (bearer === null) return 'disconnected';
  walker.open(bearer);
  const { client, show } = walker.shopper;
  const result = await request(walker, 'enter', () => client.enter(show.id, show.map));
  if (result === 'ok') walker.become('outside');
  return result;
}

async function openSession(walker: Walker): Promise<string | null> {
  const { metrics, stopwatch } = walker.house;
  for (let attempt = 1; attempt <= SESSION_ATTEMPTS_MAX; attempt++) {
    metrics.count('requests');
    const sentAt = stopwatch();
    const answer = await walker.identity.askForSession();
    if (answer.kind === 'failed') {
      walker.detail = `no session: ${answer.reason}`;
      return null;
    }
    metrics.answered('session', stopwatch() - sentAt);
    if (answer.kind === 'session') return answer.bearer;
    await walker.pause(answer.retryAfterMs);
  }
  walker.detail = 'no session: too many calls from one address';
  return null;
}

async function join(walker: Walker): Promise<StepResult> {
  const { shopper } = walker;
  if (shopper.isSaleOver) return 'over';
  const result = await request(walker, 'join', () => shopper.client.join());
  if (result === 'ok') walker.become(shopper.view.standing.state === 'admitted' ? 'shopping' : 'waiting');
  return result === 'sold-out' || result === 'sale-closed' ? 'over' : result;
}

/** Waits to be let in, or for a moment of the run. */
async function awaitSomething(walker: Walker, options: Options<'await'>): Promise<StepResult> {
  const { metrics, stopwatch, beganAt } = walker.house;
  const { shopper } = walker;
  if ('moment' in options) {
    await walker.pause(Math.max(0, beganAt + options.moment * MS_PER_SECOND - stopwatch()));
    return 'ok';
  }
  const since = stopwatch();
  const isAnswered = (): boolean => {
    const { state } = shopper.view.standing;
    return state === 'admitted' || state === 'outside' || shopper.isSaleOver;
  };
  if (!(await shopper.until(isAnswered, options.admission.within * MS_PER_SECOND))) return 'late';
  const { standing } = shopper.view;
  if (standing.state === 'admitted') {
    metrics.waited('admission', stopwatch() - since);
    walker.become('shopping');
    return 'ok';
  }
  if (shopper.isSaleOver) return 'over';
  walker.detail = standing.state === 'outside' ? `outside: ${standing.reason}` : '';
  return 'not-admitted';
}

/** Waits until the client has come back by itself and compares what it has with what it had. */
async function resume(walker: Walker, { within }: Options<'resume'>): Promise<StepResult> {
  const { shopper, kept } = walker;
  const { metrics, stopwatch, clock } = walker.house;
  if (!kept) return 'ok';
  if (!(await shopper.until(() => walker.hasEntered, within * MS_PER_SECOND))) return 'late';
  const watched = [...kept.sections.keys()];
  if (watched.length > 0) {
    // The client has asked for its sections already; the answer to this request comes after that one's.
    const answer = await shopper.client.watch(watched);
    if (!answer.ok) return answer.code;
  }
  const { view, hold } = shopper;
  metrics.waited('resume', stopwatch() - walker.openedAt);
  metrics.waited('away', stopwatch() - walker.keptAt);
  walker.become(view.standing.state === 'waiting' ? 'waiting' : hold ? 'holding' : 'shopping');
  walker.kept = null;
  const lost = lostOf(kept, stateToKeep(view), clock.now() + view.serverTimeOffsetMs);
  walker.detail = lost ?? '';
  return lost === null ? 'ok' : 'not-kept';
}

/** Chooses seats and holds them; where others are faster, chooses again. */
async function holdSeats(walker: Walker, options: Options<'hold'>): Promise<StepResult> {
  const { seats, attempts, patience } = options;
  const { metrics, stopwatch, desirability, contestedSeat } = walker.house;
  const { shopper } = walker;
  const giveUpAt = stopwatch() + patience * MS_PER_SECOND;
  const wish: Wish = seats === 'contested' ? { seat: contestedSeat } : Math.round(walker.pick(seats));
  let lost: ReadonlySet<number> = new Set();
  for (let tries = 0; tries < attempts;) {
    if (shopper.isSaleOver) return 'over';
    const leftMs = giveUpAt - stopwatch();
    if (leftMs <= 0) return 'none-free';
    const move = nextMove(shopper, desirability, wish, lost);
    lost = new Set();
    if (move.do === 'give-up') return 'over';
    if (move.do === 'click') {
      tries++;
      const answer = await walker.ask('hold', () => shopper.client.hold(move.seats));
      if (answer.ok) {
        metrics.count('seats_held', move.seats.length);
        walker.become('holding');
        return 'ok';
      }
      if (answer.code === 'sold-out' || answer.code === 'sale-closed') return 'over';
      if (answer.code !== 'seat-taken') return answer.code;
      metrics.count('seats_taken');
      lost = new Set(answer.seats);
    } else if (move.do === 'look') {
      await walker.ask('watch', () => shopper.client.watch(move.sections));
    } else {
      await shopper.until(() => isHopeful(shopper, wish), leftMs);
    }
    // News of single seats and of whole sections come apart: a moment later they agree.
    await walker.pause(thinkTime(PACES.fast.again, shopper.random));
  }
  return 'seat-taken';
}

/** Pays for what is held and waits until the order has its outcome. */
async function checkOut(walker: Walker, { attempts, within }: Options<'checkout'>): Promise<StepResult> {
  const { metrics, journal } = walker.house;
  const { shopper } = walker;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const order = await payOnce(walker, within);
    if (typeof order === 'string') {
      const isOpen = order === 'late' || order === 'timed-out' || order === 'disconnected';
      if (isOpen) journal.write({ type: 'undecided', buyer: walker.number });
      return order;
    }
    if (order.status === 'confirmed') {
      takeTickets(walker, order);
      return 'ok';
    }
    if (order.status !== 'declined') {
      walker.detail = order.reason;
      return 'voided';
    }
    metrics.count('payments_declined');
    const isBack = (): boolean => shopper.hold?.payment === 'none';
    if (attempt < attempts && !(await shopper.until(isBack, HOLD_RETURN_MS))) return 'hold-ended';
  }
  walker.fate = 'declined';
  return 'declined';
}

/** One payment under a key of its own; the order once it has its outcome. */
async function payOnce(walker: Walker, within: number): Promise<OrderMessage | StepResult> {
  const { shopper, house } = walker;
  const key = house.keys.keyOf(walker.number, walker.payments);
  walker.payments++;
  walker.become('paying');
  const clickedAt = house.stopwatch();
  const answer = await walker.ask('checkout', () => shopper.checkout(key));
  if (!answer.ok) return answer.code;
  const order = (): OrderMessage => shopper.order(answer.order.id) ?? answer.order;
  const isSettled = await shopper.until(() => order().status !== 'processing', within * MS_PER_SECOND);
  if (!isSettled) return 'late';
  house.metrics.waited('settle', house.stopwatch() - clickedAt);
  return order();
}

function takeTickets(walker: Walker, order: OrderMessage): void {
  const { metrics, journal } = walker.house;
  journal.write({ type: 'told', seats: [...toldSeatsOf(walker.number, order)] });
  metrics.count('tickets', order.seats.length);
  if (order.tickets.length !== order.seats.length)
    metrics.error('checkout', 'broken', 'a confirmed order lacks tickets', walker.number);
  walker.fate = 'owners';
  walker.become('shopping');
}

/** Compares what is with what must be. */
function check(walker: Walker, wanted: Options<'expect'>): StepResult {
  const { standing, hold, orders } = walker.shopper.view;
  const held = hold?.seats.length ?? 0;
  const owned = [...orders.values()].reduce(
    (sum, { status, seats }) => sum + (status === 'confirmed' ? seats.length : 0),
    0,
  );
  const wrong = [
    ...(wanted.standing && !wanted.standing.some((state) => state === standing.state)
      ? [`the standing is ${standing.state}`]
      : []),
    ...(wanted.seatsHeld !== undefined && wanted.seatsHeld !== held ? [`${held} seats are held`] : []),
    ...(wanted.seatsOwned !== undefined && wanted.seatsOwned !== owned ? [`${owned} seats are owned`] : []),
  ];
  walker.detail = wrong.join(', ');
  return wrong.length === 0 ? 'ok' : 'untrue';
}
