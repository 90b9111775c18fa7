import { GatheredCalls } from './gathered-calls.ts';
import type { ShowId } from './ids.ts';
import type { Outside } from './outside.ts';

/** More would keep everybody else waiting for milliseconds [P7]. */
const STEPS_PER_CALL_MAX = 250;

/**
 * The steps that a store is asked for in one turn of the event loop, gathered into one call per show: a show's keys
 * lie together, and a call costs Redis and us far more than a step. Steps are decided in the order they were asked
 * for. One that dies with the process before its turn is over has not happened, and nobody was told that it had.
 */
export class ShowSteps<Step, Answer> {
  readonly #outside: Pick<Outside, 'nextTurn'>;
  readonly #call: (show: ShowId, steps: readonly Step[]) => Promise<readonly Answer[]>;
  readonly #callsMax: number;
  readonly #calls = new Map<ShowId, GatheredCalls<Step, Answer>>();

  /**
   * @param call decides some steps about a show, in their order; rejecting fails them all
   * @param callsMax calls about one show at once; with no bound, a turn never waits for the one before
   */
  constructor(
    outside: Pick<Outside, 'nextTurn'>,
    call: (show: ShowId, steps: readonly Step[]) => Promise<readonly Answer[]>,
    callsMax = Infinity,
  ) {
    this.#outside = outside;
    this.#call = call;
    this.#callsMax = callsMax;
  }

  take(show: ShowId, step: Step): Promise<Answer> {
    let calls = this.#calls.get(show);
    if (!calls) {
      const bounds = { itemsMax: STEPS_PER_CALL_MAX, callsMax: this.#callsMax };
      calls = new GatheredCalls((steps) => this.#call(show, steps), this.#outside.nextTurn, bounds);
      this.#calls.set(show, calls);
    }
    return calls.add(step);
  }
}
