import { GatheredCalls } from './gathered-calls.ts';
import type { ShowId } from './ids.ts';
import { nextTurn } from './turn.ts';

/** More would keep everybody else waiting for milliseconds [P7]; a turn never waits for the one before. */
const BOUNDS = { itemsMax: 250, callsMax: Infinity };

/**
 * The steps that a store is asked for in one turn of the event loop, gathered into one call per show: a show's keys
 * lie together, and a call costs Redis and us far more than a step. Steps are decided in the order they were asked
 * for. One that dies with the process before its turn is over has not happened, and nobody was told that it had.
 */
export class ShowSteps<Step, Answer> {
  readonly #call: (show: ShowId, steps: readonly Step[]) => Promise<readonly Answer[]>;
  readonly #calls = new Map<ShowId, GatheredCalls<Step, Answer>>();

  /** @param call decides some steps about a show, in their order; rejecting fails them all */
  constructor(call: (show: ShowId, steps: readonly Step[]) => Promise<readonly Answer[]>) {
    this.#call = call;
  }

  take(show: ShowId, step: Step): Promise<Answer> {
    let calls = this.#calls.get(show);
    if (!calls) {
      calls = new GatheredCalls((steps) => this.#call(show, steps), nextTurn, BOUNDS);
      this.#calls.set(show, calls);
    }
    return calls.add(step);
  }

  /** Sends what was asked for about a show, so that it is decided before what is sent after this. */
  flush(show: ShowId): void {
    this.#calls.get(show)?.flush();
  }
}
