import type { Outcome, Step } from './flow.ts';
import { STEPS } from './steps.ts';
import type { StepResult, Walker } from './walker.ts';

/** How a walk through a flow ended. */
type Ending = 'walked' | 'over' | 'failed';

const OK: readonly Outcome[] = ['ok'];
const NEEDS_HOLD: ReadonlySet<Step['name']> = new Set<Step['name']>(['extend', 'release', 'checkout']);

/**
 * Walks a buyer through a flow, to its end or to the first outcome that was not expected, and home.
 * @returns whether everything went as expected; a sale that ended before the flow did is an answer too
 */
export async function makeJourney(walker: Walker, flow: readonly Step[]): Promise<boolean> {
  let ending: Ending = 'failed';
  try {
    ending = await walk(walker, flow);
  } catch (cause) {
    walker.house.metrics.error('engine', 'broken', String(cause), walker.number);
  }
  if (ending === 'over' && walker.fate === 'browsed') walker.fate = 'refused';
  await walker.goHome(ending === 'failed' && walker.fate !== 'owners' ? 'unanswered' : walker.fate);
  return ending !== 'failed';
}

async function walk(walker: Walker, steps: readonly Step[]): Promise<Ending> {
  for (const step of steps) {
    if (step.name === 'loop') {
      for (let turn = 0; turn < step.count; turn++) {
        const ending = await walk(walker, step.steps);
        if (ending !== 'walked') return ending;
      }
      continue;
    }
    if (NEEDS_HOLD.has(step.name) && !walker.shopper.hold) {
      // The step before was allowed to end without seats.
      walker.house.metrics.count('steps_skipped');
      continue;
    }
    walker.detail = '';
    // A step's options are those of its name, which the types can't follow through the table.
    const perform = STEPS[step.name] as (walker: Walker, options: unknown) => Promise<StepResult>;
    const result = await perform(walker, step.options);
    if (result === 'over') return 'over';
    const expected = 'expect' in step.options ? step.options.expect : OK;
    if (expected.includes(result)) continue;
    walker.house.metrics.error(step.name, result, walker.detail, walker.number);
    return 'failed';
  }
  return 'walked';
}
