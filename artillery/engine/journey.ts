import { awaitSomething, connect, drop, join, leave, resume } from './connection-steps.ts';
import type { Outcome, Step, StepOf } from './flow.ts';
import { checkOut } from './payment-steps.ts';
import { extend, holdSeats, release, watch } from './seat-steps.ts';
import type { StepResult, VirtualBuyer } from './virtual-buyer.ts';

/** How a walk through a flow ended. */
type Ending = 'walked' | 'over' | 'failed';

const OK: readonly Outcome[] = ['ok'];
const NEEDS_HOLD: ReadonlySet<Step['name']> = new Set<Step['name']>(['extend', 'release', 'checkout']);

/**
 * Walks a buyer through a flow, to its end or to the first outcome that was not expected, and home.
 * @returns whether everything went as expected; a sale that ended before the flow did is an answer too
 */
export async function makeJourney(buyer: VirtualBuyer, flow: readonly Step[]): Promise<boolean> {
  let ending: Ending = 'failed';
  try {
    ending = await walk(buyer, flow);
  } catch (cause) {
    buyer.house.metrics.error('engine', 'broken', String(cause), buyer.number);
  }
  if (ending === 'over' && buyer.fate === 'browsed') buyer.fate = 'refused';
  await buyer.goHome(ending === 'failed' && buyer.fate !== 'owners' ? 'unanswered' : buyer.fate);
  return ending !== 'failed';
}

async function walk(buyer: VirtualBuyer, steps: readonly Step[]): Promise<Ending> {
  for (const step of steps) {
    if (step.name === 'loop') {
      for (let turn = 0; turn < step.count; turn++) {
        const ending = await walk(buyer, step.steps);
        if (ending !== 'walked') return ending;
      }
      continue;
    }
    if (NEEDS_HOLD.has(step.name) && !buyer.client.view.hold) {
      // The step before was allowed to end without seats.
      buyer.house.metrics.count('steps_skipped');
      continue;
    }
    buyer.detail = '';
    const result = await perform(buyer, step);
    if (result === 'over') return 'over';
    if (expectedOf(step).includes(result)) continue;
    buyer.house.metrics.error(step.name, result, buyer.detail, buyer.number);
    return 'failed';
  }
  return 'walked';
}

function expectedOf({ options }: Exclude<Step, { name: 'loop' }>): readonly Outcome[] {
  return 'expect' in options ? options.expect : OK;
}

async function perform(buyer: VirtualBuyer, step: Exclude<Step, { name: 'loop' }>): Promise<StepResult> {
  switch (step.name) {
    case 'connect':
      return connect(buyer);
    case 'join':
      return join(buyer);
    case 'await':
      return awaitSomething(buyer, step.options);
    case 'watch':
      return watch(buyer, step.options.sections);
    case 'hold':
      return holdSeats(buyer, step.options);
    case 'extend':
      return extend(buyer);
    case 'release':
      return release(buyer, step.options.seats);
    case 'checkout':
      return checkOut(buyer, step.options);
    case 'orders': {
      const answer = await buyer.ask('orders', () => buyer.client.listOrders());
      return answer.ok ? 'ok' : answer.code;
    }
    case 'drop':
      return drop(buyer);
    case 'resume':
      return resume(buyer, step.options.within);
    case 'leave':
      return leave(buyer);
    case 'think':
      await buyer.pause(buyer.pick(step.options) * 1_000);
      return 'ok';
    case 'expect':
      return check(buyer, step.options);
  }
}

/** Compares what is with what must be. */
function check(buyer: VirtualBuyer, wanted: StepOf<'expect'>['options']): StepResult {
  const { standing, hold, orders } = buyer.client.view;
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
  buyer.detail = wrong.join(', ');
  return wrong.length === 0 ? 'ok' : 'untrue';
}
