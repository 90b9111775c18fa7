import { seatPrice, type Show } from '../catalog/show.ts';
import { GatheredCalls } from '../platform/gathered-calls.ts';
import type { SeatIndex } from '../platform/ids.ts';
import type { Outcome } from '../platform/outcome.ts';
import type { NextTurn } from '../platform/turn.ts';
import type { Hold, HoldRequest, SeatRules, SeatStore } from './seat-store.ts';

/** A turn never waits for the answer of the one before: a store that is slow once would be slow for everybody. */
const BOUNDS = { itemsMax: 1_000, callsMax: Infinity };

/**
 * The command behind a click on a seat. Requests for one show that arrive in one turn of the event loop travel to
 * the store in one call and are answered one by one: throughput comes from batching.
 */
export class HoldSeats {
  readonly #store: SeatStore;
  readonly #nextTurn: NextTurn;
  /** By the rules that a call goes by: they are another object when a show's terms change. */
  readonly #calls = new WeakMap<SeatRules, GatheredCalls<HoldRequest, Outcome<Hold>>>();

  constructor(store: SeatStore, nextTurn: NextTurn) {
    this.#store = store;
    this.#nextTurn = nextTurn;
  }

  /** Adds seats to the session's hold, all or none; refusals as `SeatStore.hold`. */
  run(
    show: Show,
    rules: SeatRules,
    { session, network }: Pick<HoldRequest, 'session' | 'network'>,
    seats: readonly SeatIndex[],
  ): Promise<Outcome<Hold>> {
    const prices = seats.map((seat) => seatPrice(show, seat));
    return this.#callsFor(rules).add({ session, network, seats, prices });
  }

  #callsFor(rules: SeatRules): GatheredCalls<HoldRequest, Outcome<Hold>> {
    const known = this.#calls.get(rules);
    if (known) return known;
    const calls = new GatheredCalls<HoldRequest, Outcome<Hold>>(
      (requests) => this.#store.hold(rules, requests),
      this.#nextTurn,
      BOUNDS,
    );
    this.#calls.set(rules, calls);
    return calls;
  }
}
