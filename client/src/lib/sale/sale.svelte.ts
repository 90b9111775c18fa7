import type {
  Answer,
  ClientChange,
  ClientView,
  HoldView,
  StampedeClient,
} from '@stampede/shared/client/stampede-client.ts';
import type { ShowDetail, ShowLayout } from '@stampede/shared/protocol/http.ts';
import { SECTIONS_WATCHED_MAX } from '@stampede/shared/protocol/limits.ts';
import type { HoldEndReason, OrderMessage } from '@stampede/shared/protocol/messages.ts';
import { seatMapOf, seatName, type SeatMap, type SeatName } from '@stampede/shared/seat-map/seat-map.ts';
import type { SeatChange } from '@stampede/shared/seat-map/section-delta.ts';
import { BLOCKED } from '@stampede/shared/seat-map/seat-status.ts';
import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import { createContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
import { ofThisTab } from '#lib/browser-shelf.ts';
import { keyOfIntent } from '#lib/checkout/checkout-intent.ts';
import { canBeOffered, statusOf } from '#lib/seat-map/offered-seats.ts';
import { Ticker } from '#lib/ticker.svelte.ts';
import type { Reviewing } from './reviewing.ts';
import { saleStep, type SaleStep } from './sale-step.ts';

/** Panning crosses sections quickly; the server hears of the view only once it rests. */
const WATCH_DELAY_MS = 120;
/** Admission takes some tenths of a second where nobody waits. */
const ARRIVAL_MS = 800;
const ENTER_RETRY_MS = 3_000;

export type SeatMark = 'pending' | 'mine' | 'free' | 'held' | 'sold' | 'blocked';
/** By the number of the status. */
const MARKS: readonly SeatMark[] = ['free', 'held', 'sold', 'blocked'];

export type SeatsListener = (section: number, changes: readonly SeatChange[] | null) => void;
/** `wasPaying`: a payment was on its way that nobody has heard of since. */
export type HoldEndListener = (reason: HoldEndReason, wasPaying: boolean) => void;

/** One buyer in the sale of one show: the server's truth as state, and what the buyer can do about it. */
export class Sale {
  readonly show: ShowDetail;
  readonly layout: ShowLayout['layout'];
  readonly map: SeatMap;
  readonly ticker = new Ticker();

  readonly #client: StampedeClient;
  readonly #reviewing: Reviewing;
  readonly #seatListeners = new Set<SeatsListener>();
  readonly #holdEndListeners = new Set<HoldEndListener>();

  /** The client's view, which changes in place: anew with whatever it tells but seats and summaries. */
  #told: { readonly view: ClientView };
  #summaries = $state.raw<ReadonlyMap<number, SectionSummary>>(new Map());
  /** Rises whenever a watched section changes; reading a status reads this too, so that buttons follow. */
  readonly #sectionVersions = new SvelteMap<number, number>();
  #ordersKnown = $state(false);
  #pending = $state.raw<ReadonlySet<number>>(new Set());
  /** Joined a moment ago: with nobody in front there is no queue to be shown. */
  #arriving = $state(false);
  #witnessedOrder = $state<string | null>(null);
  #dismissedOrder = $state<string | null>(null);

  readonly summaries = $derived(this.#summaries);
  readonly pending = $derived(this.#pending);
  readonly arriving = $derived(this.#arriving);
  readonly connection = $derived(this.#view.connection);
  readonly standing = $derived(this.#view.standing);
  readonly hold = $derived(this.#view.hold);
  readonly #phases = $derived.by(() => {
    const { phase, lobbyAt, opensAt } = this.show;
    return this.#view.phase ?? { phase, lobbyAt: Date.parse(lobbyAt), opensAt: Date.parse(opensAt) };
  });
  readonly phase = $derived(this.#phases.phase);
  readonly lobbyAt = $derived(this.#phases.lobbyAt);
  readonly opensAt = $derived(this.#phases.opensAt);
  readonly seatsPerBuyer = $derived.by(() => this.#view.sale?.seatsPerBuyer ?? this.show.seatsPerBuyer);
  readonly mine: ReadonlySet<number> = $derived(new Set(this.hold?.seats));
  /** Minor units of the show's currency for the seats held. */
  readonly total = $derived.by(
    () => this.hold?.seats.reduce((sum, seat) => sum + this.priceOf(seat), 0) ?? 0,
  );

  readonly #orders = $derived.by(() =>
    this.#view.orders
      .values()
      .filter(({ show }) => show === this.show.id)
      .toArray(),
  );
  readonly #confirmed = $derived(this.#orders.filter(({ status }) => status === 'confirmed'));
  readonly hasTickets = $derived(this.#confirmed.length > 0);
  readonly latestOrder = $derived(
    this.#orders.reduce<OrderMessage | null>(
      (latest, one) => (latest && latest.createdAt >= one.createdAt ? latest : one),
      null,
    ),
  );
  /** The declined order whose seats are held again; null when the last try was no decline. */
  readonly declined = $derived(
    this.hold && this.latestOrder?.status === 'declined' ? this.latestOrder : null,
  );
  /** How many more seats this buyer may have, besides those that are held. */
  readonly seatsLeft = $derived(
    Math.max(
      0,
      this.#confirmed.reduce((left, { seats }) => left - seats.length, this.seatsPerBuyer),
    ),
  );
  /** Free seats of the whole show. */
  readonly free = $derived.by(() => {
    if (this.#summaries.size === 0) return this.show.freeSeats;
    return this.#summaries.values().reduce((sum, section) => sum + section.free, 0);
  });
  readonly step: SaleStep = $derived.by(() => {
    if (!this.#ordersKnown && this.phase !== 'scheduled') return 'connecting';
    return saleStep({
      phase: this.phase,
      standing: this.standing,
      hold: this.hold,
      latestOrder: this.latestOrder,
      witnessedOrder: this.#witnessedOrder,
      dismissedOrder: this.#dismissedOrder,
      arriving: this.#arriving,
      reviewing: this.#reviewing.current,
    });
  });

  #awaitsOrder = false;
  #holdBefore: HoldView | null = null;
  readonly #statusBefore = new Map<string, OrderMessage['status']>();
  #mapSections: readonly number[] = [];
  #pickerSection: number | null = null;
  #arrivalTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(show: ShowDetail, { layout }: ShowLayout, client: StampedeClient, reviewing: Reviewing) {
    this.show = show;
    this.layout = layout;
    this.map = seatMapOf(layout);
    this.#client = client;
    this.#told = $state.raw({ view: client.view });
    this.#reviewing = reviewing;
    client.onChange((change) => this.#apply(change));
  }

  /** Connects, enters the show and fetches this buyer's orders. Tries on until it succeeds or `stop` is called. */
  async start(): Promise<void> {
    this.#client.start();
    for (;;) {
      const answer = await this.#client.enter(this.show.id, this.map);
      if (this.#stopped) return;
      if (answer.ok) break;
      await new Promise((resolve) => setTimeout(resolve, answer.retryAfterMs || ENTER_RETRY_MS));
    }
    await this.#fetchOrders();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#watchTimer);
    clearTimeout(this.#arrivalTimer);
    this.#client.stop();
  }

  priceOf(seat: number): number {
    return this.priceOfLevel(this.map.priceLevel[seat] ?? 0);
  }

  priceOfLevel(level: number): number {
    return this.show.priceLevels[level]?.amount ?? 0;
  }

  nameOf(seat: number): SeatName {
    return seatName(this.map, seat) ?? { section: '?', row: '?', seat: '?' };
  }

  /** Statuses of a watched section, by seat from its start; undefined until they have come. */
  statusesOf(section: number): Uint8Array | undefined {
    this.#sectionVersions.get(section);
    return this.#client.view.sections.get(section)?.statuses;
  }

  /** What is known of a seat; undefined where its section isn't watched. */
  statusOf(seat: number): number | undefined {
    return statusOf(this.map, (section) => this.statusesOf(section), seat);
  }

  /** What a seat is to this buyer; one of which nothing is known can't be had. */
  markOf(seat: number): SeatMark {
    if (this.#pending.has(seat)) return 'pending';
    if (this.mine.has(seat)) return 'mine';
    return MARKS[this.statusOf(seat) ?? BLOCKED] ?? 'blocked';
  }

  /** Whether no seat of these is known to be taken. */
  canBeOffered(seats: readonly number[]): boolean {
    return canBeOffered(this.map, (section) => this.statusesOf(section), seats);
  }

  /** Calls back on every change of a watched section's seats, for views that draw rather than render. */
  onSeats(listener: SeatsListener): () => void {
    this.#seatListeners.add(listener);
    return () => this.#seatListeners.delete(listener);
  }

  onHoldEnd(listener: HoldEndListener): () => void {
    this.#holdEndListeners.add(listener);
    return () => this.#holdEndListeners.delete(listener);
  }

  /** Takes a place, which leads straight to the seats where nobody waits. */
  async join(): Promise<Answer> {
    this.#dismissedOrder = this.latestOrder?.id ?? null;
    this.#arriving = true;
    const answer = await this.#client.join();
    clearTimeout(this.#arrivalTimer);
    this.#arrivalTimer = setTimeout(() => (this.#arriving = false), answer.ok ? ARRIVAL_MS : 0);
    return answer;
  }

  leave() {
    return this.#client.leave();
  }

  extend() {
    return this.#client.extend();
  }

  /** Claims free seats. They look pending until the server has answered. */
  take(seats: readonly number[]): Promise<Answer> {
    return this.#whilePending(seats, () => this.#client.hold(seats));
  }

  giveBack(seats: readonly number[]): Promise<Answer> {
    return this.#whilePending(seats, () => this.#client.release(seats));
  }

  /** Pays for what is held. Safe to call again: the same intent has the same key, also after a reload [P2]. */
  pay() {
    const hold = this.hold;
    const intent = {
      show: this.show.id,
      holdToken: hold?.holdToken ?? 0,
      seats: hold?.seats ?? [],
      amount: this.total,
      after: this.declined?.id ?? null,
    };
    const idempotencyKey = keyOfIntent(intent, ofThisTab, () => crypto.randomUUID());
    return this.#client.checkout({ idempotencyKey, amount: intent.amount });
  }

  review(reviewing: boolean): void {
    this.#reviewing.set(reviewing);
  }

  /** Puts the outcome of the latest order aside, to go on in the sale. */
  dismissOutcome(): void {
    this.#dismissedOrder = this.latestOrder?.id ?? null;
  }

  /** Whether the buyer looks at live seats, and must hear soon when they are no longer live. */
  lookAtSeats(looking: boolean): void {
    this.#client.lookAtSeats(looking);
  }

  /** The sections the map shows in detail, most central first. */
  watchFromMap(sections: readonly number[]): void {
    this.#mapSections = sections;
    this.#watchSoon();
  }

  /** The section open in the seat list. */
  watchFromList(section: number | null): void {
    this.#pickerSection = section;
    this.#watchSoon();
  }

  #watchSoon(): void {
    clearTimeout(this.#watchTimer);
    this.#watchTimer = setTimeout(() => {
      const picked = this.#pickerSection === null ? [] : [this.#pickerSection];
      const held = (this.hold?.seats ?? []).map((seat) => this.map.sectionOf[seat] ?? 0);
      const wanted = new Set([...picked, ...held, ...this.#mapSections]);
      void this.#client.watch([...wanted].slice(0, SECTIONS_WATCHED_MAX));
    }, WATCH_DELAY_MS);
  }

  async #whilePending(seats: readonly number[], request: () => Promise<Answer>): Promise<Answer> {
    this.#pending = this.#pending.union(new Set(seats));
    const answer = await request();
    this.#pending = this.#pending.difference(new Set(seats));
    return answer;
  }

  get #view(): ClientView {
    return this.#told.view;
  }

  #apply(change: ClientChange): void {
    const { view } = this.#client;
    this.ticker.offsetMs = view.serverTimeOffsetMs;
    switch (change.kind) {
      case 'seats':
        this.#sectionVersions.set(change.section, (this.#sectionVersions.get(change.section) ?? 0) + 1);
        for (const listener of this.#seatListeners) listener(change.section, change.changes);
        return;
      case 'summaries':
        this.#summaries = new Map(view.summaries);
        return;
      case 'connection':
        if (view.connection.state === 'open' && this.#ordersKnown) void this.#fetchOrders();
        break;
      case 'hold':
        this.#applyHold(view.hold, change.ended?.reason);
        break;
      case 'order':
        this.#applyOrder(change.order);
        break;
      case 'sale':
      case 'phase':
      case 'standing':
        break;
    }
    this.#told = { view };
  }

  /** An outcome that came while the connection was away is told by the list, not pushed. */
  async #fetchOrders(): Promise<void> {
    await this.#client.listOrders();
    this.#ordersKnown = true;
  }

  /** `ended`: absent also where a hold vanished while we were away, which ran out then. */
  #applyHold(hold: HoldView | null, ended?: HoldEndReason): void {
    const before = this.#holdBefore;
    this.#holdBefore = hold;
    if (hold?.payment === 'handing-over') this.#awaitsOrder = true;
    if (hold) return;
    this.#reviewing.set(false);
    // What an order was paying for ends with the order, which tells how and why.
    if (before?.payment === 'accepted') return;
    if (!before && !ended) return;
    const wasPaying = before?.payment === 'handing-over';
    for (const listener of this.#holdEndListeners) listener(ended ?? 'expired', wasPaying);
  }

  #applyOrder({ id, show, status }: OrderMessage): void {
    if (show !== this.show.id) return;
    const before = this.#statusBefore.get(id);
    this.#statusBefore.set(id, status);
    // One whose payment was only on its way may be heard of first when it has ended.
    if (before ? before !== 'processing' : !this.#awaitsOrder) return;
    this.#awaitsOrder = false;
    if (status === 'confirmed' || status === 'voided') this.#witnessedOrder = id;
    if (status === 'declined') this.#reviewing.set(true);
  }
}

export const [getSale, setSale] = createContext<Sale>();
