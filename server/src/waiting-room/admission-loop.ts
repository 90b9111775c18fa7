import type { Clock } from '@stampede/shared/platform/clock.ts';
import type { ShowId } from '../platform/ids.ts';
import { repeat } from '../platform/repeat.ts';
import { phaseOf } from './on-sale-phase.ts';
import { type OnSale, rulesOf, type WaitingRoomSettings } from './waiting-room-rules.ts';
import type { WaitingRoomStore } from './waiting-room-store.ts';

export interface AdmissionLoopParts {
  readonly store: WaitingRoomStore;
  readonly clock: Clock;
  readonly settings: WaitingRoomSettings;
  readonly intervalMs: number;
  /** The shows as they stand at the moment of the call; `soldOut`: every seat is sold. */
  readonly shows: () => readonly { readonly show: OnSale; readonly soldOut: boolean }[];
  /** Told how many were let in by each step of this node. */
  readonly onAdmitted?: (count: number) => void;
  /** Called for each failed step, `show` null where none is to blame; the next tick tries again. */
  readonly onError: (show: ShowId | null, cause: unknown) => void;
}

/**
 * Lets people in and ends what ran out, for every show whose waiting room is in use. It needs no leader: every node
 * may run it, because the store's limits hold for all nodes together, and a node that dies between two steps leaves
 * nothing that the next tick of any other doesn't do.
 */
export class AdmissionLoop {
  readonly #parts: AdmissionLoopParts;
  #end: (() => Promise<void>) | null = null;

  constructor(parts: AdmissionLoopParts) {
    this.#parts = parts;
  }

  start(): void {
    const { clock, intervalMs, onError } = this.#parts;
    this.#end ??= repeat(
      clock,
      intervalMs,
      () => this.#tick(),
      (cause) => onError(null, cause),
    );
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    await this.#end?.();
  }

  async #tick(): Promise<void> {
    const { clock, shows } = this.#parts;
    const now = clock.now();
    await Promise.all(shows().map(async ({ show, soldOut }) => serve(this.#parts, show, soldOut, now)));
  }
}

/** One show's failure is its own, and one step's failure keeps nobody from the other. */
async function serve(
  { store, settings, onAdmitted, onError }: AdmissionLoopParts,
  show: OnSale,
  soldOut: boolean,
  now: number,
): Promise<void> {
  const phase = phaseOf(show.sale, show.paused, soldOut, now);
  if (phase === 'scheduled' || isRoomOver(show, now)) return;
  const rules = rulesOf(show, settings);
  const failed = (cause: unknown) => onError(show.id, cause);
  // Sweeping first gives the slots that come back to the next in line within the same tick.
  await store.expire(rules).catch(failed);
  if (phase === 'open') await store.admit(rules).then(onAdmitted, failed);
}

/**
 * Whether the last admission that a closed on-sale can have given has run out: a claim, which is no longer than an
 * admission, that was turned into one.
 */
export function isRoomOver({ sale }: Pick<OnSale, 'sale'>, now: number): boolean {
  return now > sale.closesAt + 2 * sale.admissionLifetimeMs;
}
