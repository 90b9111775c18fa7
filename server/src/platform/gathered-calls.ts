import type { ShowId } from './ids.ts';
import type { Outside } from './outside.ts';

interface Waiting<Item, Answer> {
  readonly item: Item;
  resolve(answer: Answer): void;
  reject(cause: unknown): void;
}

/** Bounds of what is gathered [P7]. */
export interface GatheringBounds {
  /** Items of one call at most. */
  readonly itemsMax: number;
  /** Calls under way at once; what comes while there are so many waits for the next one. */
  readonly callsMax: number;
}

/**
 * Gathers items that come close together into one call: a store answers a hundred for hardly more than one, be it a
 * database that syncs its disk or Redis at the other end of a network. With one call at a time, a call gathers what
 * came while the one before was under way, so under load batches grow by themselves and a lone item hardly waits. An
 * embedded database answers without ever leaving the event loop's turn, so after each call the others get theirs
 * before the next one.
 */
export class GatheredCalls<Item, Answer> {
  readonly #call: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #soon: (task: () => void) => void;
  readonly #bounds: GatheringBounds;
  #waiting: Waiting<Item, Answer>[] = [];
  #isPlanned = false;
  #underWay = 0;

  /**
   * @param call returns one answer per item, in their order; rejecting fails the whole batch
   * @param soon says when the next call may begin: the next turn, or some milliseconds later
   */
  constructor(
    call: (items: readonly Item[]) => Promise<readonly Answer[]>,
    soon: (task: () => void) => void,
    bounds: GatheringBounds,
  ) {
    this.#call = call;
    this.#soon = soon;
    this.#bounds = bounds;
  }

  /** Resolves with the item's answer once the call it was gathered into is done. */
  add(item: Item): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.push({ item, resolve, reject });
    this.#plan();
    return promise;
  }

  /** Calls at once for what waits, though its time has not come; it goes before whatever is asked for after this. */
  flush(): void {
    if (!this.#isDue()) return;
    const batch = this.#waiting.slice(0, this.#bounds.itemsMax);
    this.#waiting = this.#waiting.slice(batch.length);
    this.#underWay += 1;
    void this.#run(batch).then(() => {
      this.#underWay -= 1;
      this.#plan();
    });
    this.#plan();
  }

  #plan(): void {
    if (this.#isPlanned || !this.#isDue()) return;
    this.#isPlanned = true;
    this.#soon(() => {
      this.#isPlanned = false;
      this.flush();
    });
  }

  #isDue(): boolean {
    return this.#waiting.length > 0 && this.#underWay < this.#bounds.callsMax;
  }

  async #run(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await this.#call(batch.map((one) => one.item));
      if (answers.length !== batch.length) {
        throw new Error(`${batch.length} were asked for in one call, and ${answers.length} answered`);
      }
      // Checked above: there is an answer for every index.
      batch.forEach((one, index) => one.resolve(answers[index] as Answer));
    } catch (cause) {
      for (const one of batch) one.reject(cause);
    }
  }
}

/** More would keep everybody else waiting for milliseconds [P7]. */
const STEPS_PER_CALL_MAX = 250;

/**
 * Gathers what a store is asked for in one turn of the event loop into one call per show: a show's keys lie together,
 * and a call costs Redis and us far more than a step. Steps are decided in the order they were asked for. One that dies
 * with the process before its turn is over has not happened, and nobody was told that it had.
 *
 * @param call decides some steps about a show, in their order; rejecting fails them all
 * @param callsMax calls about one show at once; with no bound, a turn never waits for the one before
 */
export function gatherByShow<Step, Answer>(
  { nextTurn }: Pick<Outside, 'nextTurn'>,
  call: (show: ShowId, steps: readonly Step[]) => Promise<readonly Answer[]>,
  callsMax = Infinity,
): (show: ShowId, step: Step) => Promise<Answer> {
  const gathered = new Map<ShowId, GatheredCalls<Step, Answer>>();
  return (show, step) => {
    const calls =
      gathered.get(show) ??
      new GatheredCalls((steps) => call(show, steps), nextTurn, { itemsMax: STEPS_PER_CALL_MAX, callsMax });
    gathered.set(show, calls);
    return calls.add(step);
  };
}
