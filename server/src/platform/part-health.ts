import type { Clock } from '@stampede/shared/platform/clock.ts';
import { repeat } from './repeat.ts';
import { answerWithin } from './retry.ts';

/** Whether each outside part answers, by the part's name; a text says why not. A check that rejects means no. */
export type PartChecks = Readonly<Record<string, () => Promise<boolean | string>>>;

const INTERVAL_MS = 2_000;
const ANSWER_MS = 1_500;

/**
 * Asks every outside part now and then whether it answers. Whoever wants to know reads the last answer: a hundred
 * probes a second cost the parts nothing, and a part that hangs makes nobody wait.
 */
export class PartHealth {
  readonly #checks: PartChecks;
  readonly #clock: Clock;
  /** Whether the process is on its way out: it finishes its work and wants no new. */
  isDraining = false;
  readonly #answers: Record<string, boolean | string> = {};
  #stop: () => Promise<void> = async () => undefined;

  constructor(checks: PartChecks, clock: Clock) {
    this.#checks = checks;
    this.#clock = clock;
  }

  /** Resolves after the first round of questions. */
  async start(): Promise<void> {
    await this.#askAll();
    this.#stop = repeat(
      this.#clock,
      INTERVAL_MS,
      () => this.#askAll(),
      () => undefined,
    );
  }

  /** The last answer of each part. */
  parts(): Readonly<Record<string, boolean>> {
    return Object.fromEntries(Object.entries(this.#answers).map(([name, answer]) => [name, answer === true]));
  }

  /** Why a part is not there, as far as it is known; its name otherwise. */
  troubleOf(name: string): string {
    const answer = this.#answers[name];
    return typeof answer === 'string' ? answer : name;
  }

  stop(): Promise<void> {
    return this.#stop();
  }

  async #askAll(): Promise<void> {
    await Promise.all(
      Object.entries(this.#checks).map(async ([name, check]) => {
        this.#answers[name] = await answerWithin(this.#clock, ANSWER_MS, name, check).catch(() => false);
      }),
    );
  }
}
