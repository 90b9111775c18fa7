import type { HoldView, Standing, Connection } from '@stampede/shared/client/client-view.ts';
import type {
  Answer,
  ClientChange,
  Refused,
  StampedeClient,
} from '@stampede/shared/client/stampede-client.ts';
import type { ShowDetail, ShowLayout } from '@stampede/shared/protocol/http.ts';
import { SECTIONS_WATCHED_MAX } from '@stampede/shared/protocol/limits.ts';
import type { HoldEndReason, OrderMessage, Phase } from '@stampede/shared/protocol/messages.ts';
import { seatMapOf, seatName, type SeatMap, type SeatName } from '@stampede/shared/seat-map/seat-map.ts';
import type { SeatChange } from '@stampede/shared/seat-map/section-delta.ts';
import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import { createContext } from 'svelte';
import { SvelteMap } from 'svelte/reactivity';
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

export type SeatsListener = (section: number, changes: readonly SeatChange[] | null) => void;
/** `wasPaying`: a payment was on its way that nobody has heard of since. */
export type HoldEndListener = (reason: HoldEndReason, seats: readonly number[], wasPaying: boolean) => void;

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

  #connection = $state.raw<Connection>({ state: 'connecting' });
  #phase = $state.raw<{ phase: Phase; lobbyAt: number; opensAt: number }>({
    phase: 'scheduled',
    lobbyAt: 0,
    opensAt: 0,
  });
  #standing = $state.raw<Standing>({ state: 'unknown' });
  #hold = $state.raw<HoldView | null>(null);
  #orders = $state.raw<readonly OrderMessage[]>([]);
  #seatsPerBuyer = $state(0);
  #ordersKnown = $state(false);
  #pending = $state.raw<ReadonlySet<number>>(new Set());
  /** Joined a moment ago: with nobody in front there is no queue to be shown. */
  #arriving = $state(false);
  #witnessedOrder = $state<string | null>(null);
  #dismissedOrder = $state<string | null>(null);
  readonly #summaries = new SvelteMap<number, SectionSummary>();
  /** Rises whenever a watched section changes; reading a status reads this too, so that buttons follow. */
  readonly #sectionVersions = new SvelteMap<number, number>();

  readonly #mine = $derived(new Set(this.#hold?.seats ?? []));
  readonly #latestOrder = $derived(
    this.#orders.reduce<OrderMessage | null>(
      (latest, one) => (latest && latest.createdAt >= one.createdAt ? latest : one),
      null,
    ),
  );
  readonly #step = $derived.by(() =>
    saleStep({
      phase: this.#phase.phase,
      standing: this.#standing,
      hold: this.#hold,
      latestOrder: this.#latestOrder,
      witnessedOrder: this.#witnessedOrder,
      dismissedOrder: this.#dismissedOrder,
      arriving: this.#arriving,
      reviewing: this.#reviewing.current,
    }),
  );

  #awaitsOrder = false;
  #mapSections: readonly number[] = [];
  #pickerSection: number | null = null;
  #arrivalTimer: ReturnType<typeof setTimeout> | undefined;
  #watchTimer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  constructor(show: ShowDetail, { layout }: ShowLayout, client: StampedeClient, reviewing: Reviewing) {
    this.show = show;
    this.layout = layout;
    this.map = seatMapOf(layout);
    this.#phase = { phase: show.phase, lobbyAt: Date.parse(show.lobbyAt), opensAt: Date.parse(show.opensAt) };
    this.#seatsPerBuyer = show.seatsPerBuyer;
    this.#client = client;
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

  get connection(): Connection {
    return this.#connection;
  }
  get phase(): Phase {
    return this.#phase.phase;
  }
  get lobbyAt(): number {
    return this.#phase.lobbyAt;
  }
  get opensAt(): number {
    return this.#phase.opensAt;
  }
  get standing(): Standing {
    return this.#standing;
  }
  get hold(): HoldView | null {
    return this.#hold;
  }
  get step(): SaleStep {
    return this.#ordersKnown || this.#phase.phase === 'scheduled' ? this.#step : 'connecting';
  }
  get latestOrder(): OrderMessage | null {
    return this.#latestOrder;
  }
  get hasTickets(): boolean {
    return this.#orders.some((order) => order.status === 'confirmed');
  }
  /** The declined order whose seats are held again; null when the last try was no decline. */
  get declined(): OrderMessage | null {
    return this.#hold && this.#latestOrder?.status === 'declined' ? this.#latestOrder : null;
  }
  get seatsPerBuyer(): number {
    return this.#seatsPerBuyer;
  }
  /** How many more seats this buyer may have, besides those that are held. */
  get seatsLeft(): number {
    const confirmed = this.#orders.filter(({ status }) => status === 'confirmed');
    return Math.max(0, this.#seatsPerBuyer - confirmed.reduce((sum, { seats }) => sum + seats.length, 0));
  }
  get arriving(): boolean {
    return this.#arriving;
  }
  /** Free seats of the whole show. */
  get free(): number {
    if (this.#summaries.size === 0) return this.show.freeSeats;
    return this.#summaries.values().reduce((sum, section) => sum + section.free, 0);
  }
  get pending(): ReadonlySet<number> {
    return this.#pending;
  }
  get mine(): ReadonlySet<number> {
    return this.#mine;
  }
  get summaries(): ReadonlyMap<number, SectionSummary> {
    return this.#summaries;
  }
  /** Minor units of the show's currency for the seats held. */
  get total(): number {
    return (this.#hold?.seats ?? []).reduce((sum, seat) => sum + this.priceOf(seat), 0);
  }

  /** What free seats of a section cost at least, in minor units; null when none is free. */
  cheapestIn(summary: SectionSummary): number | null {
    return summary.cheapest === null ? null : this.priceOfLevel(summary.cheapest);
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
    this.#dismissedOrder = this.#latestOrder?.id ?? null;
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
  async take(seats: readonly number[]): Promise<{ ok: true } | Refused> {
    this.#setPending(seats, true);
    const answer = await this.#client.hold(seats);
    this.#setPending(seats, false);
    return answer;
  }

  async giveBack(seats: readonly number[]): Promise<{ ok: true } | Refused> {
    this.#setPending(seats, true);
    const answer = await this.#client.release(seats);
    this.#setPending(seats, false);
    return answer;
  }

  /** Pays for what is held. Safe to call again: the same intent has the same key, also after a reload [P2]. */
  pay() {
    const hold = this.#hold;
    const intent = {
      show: this.show.id,
      holdToken: hold?.holdToken ?? 0,
      seats: hold?.seats ?? [],
      amount: this.total,
      after: this.declined?.id ?? null,
    };
    const idempotencyKey = keyOfIntent(intent, sessionStorage, () => crypto.randomUUID());
    return this.#client.checkout({ idempotencyKey, amount: intent.amount });
  }

  review(reviewing: boolean): void {
    this.#reviewing.set(reviewing);
  }

  /** Puts the outcome of the latest order aside, to go on in the sale. */
  dismissOutcome(): void {
    this.#dismissedOrder = this.#latestOrder?.id ?? null;
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
      const held = (this.#hold?.seats ?? []).map((seat) => this.map.sectionOf[seat] ?? 0);
      const wanted = new Set([...picked, ...held, ...this.#mapSections]);
      void this.#client.watch([...wanted].slice(0, SECTIONS_WATCHED_MAX));
    }, WATCH_DELAY_MS);
  }

  #setPending(seats: readonly number[], pending: boolean): void {
    const next = new Set(this.#pending);
    for (const seat of seats) {
      if (pending) next.add(seat);
      else next.delete(seat);
    }
    this.#pending = next;
  }

  #apply(change: ClientChange): void {
    const { view } = this.#client;
    this.ticker.offsetMs = view.serverTimeOffsetMs;
    switch (change.kind) {
      case 'connection':
        if (view.connection.state === 'open' && this.#ordersKnown) void this.#fetchOrders();
        this.#connection = view.connection;
        break;
      case 'sale':
        this.#seatsPerBuyer = view.sale?.seatsPerBuyer ?? this.show.seatsPerBuyer;
        break;
      case 'phase':
        if (view.phase) this.#phase = view.phase;
        break;
      case 'standing':
        this.#standing = view.standing;
        break;
      case 'hold':
        this.#applyHold(view.hold, change.ended);
        break;
      case 'order':
        this.#applyOrder(change.order);
        break;
      case 'summaries':
        for (const section of change.sections) {
          const summary = view.summaries.get(section);
          if (summary) this.#summaries.set(section, summary);
        }
        break;
      case 'seats':
        this.#sectionVersions.set(change.section, (this.#sectionVersions.get(change.section) ?? 0) + 1);
        for (const listener of this.#seatListeners) listener(change.section, change.changes);
        break;
    }
  }

  /** An outcome that came while the connection was away is told by the list, not pushed. */
  async #fetchOrders(): Promise<void> {
    await this.#client.listOrders();
    this.#ordersKnown = true;
  }

  #applyHold(hold: HoldView | null, ended: { reason: HoldEndReason; seats: readonly number[] } | null): void {
    const before = this.#hold;
    this.#hold = hold;
    if (hold?.payment === 'handing-over') this.#awaitsOrder = true;
    if (hold) return;
    this.#reviewing.set(false);
    // What an order was paying for ends with the order, which tells how and why.
    if (before?.payment === 'accepted') return;
    const wasPaying = before?.payment === 'handing-over';
    // A hold that vanished while we were away ran out.
    const end = ended ?? (before ? { reason: 'expired' as const, seats: before.seats } : null);
    if (end) for (const listener of this.#holdEndListeners) listener(end.reason, end.seats, wasPaying);
  }

  #applyOrder(order: OrderMessage): void {
    if (order.show !== this.show.id) return;
    const before = this.#orders.find((one) => one.id === order.id);
    this.#orders = [...this.#client.view.orders.values()].filter((one) => one.show === this.show.id);
    // One whose payment was only on its way may be heard of first when it has ended.
    if (before ? before.status !== 'processing' : !this.#awaitsOrder) return;
    this.#awaitsOrder = false;
    if (order.status === 'confirmed' || order.status === 'voided') this.#witnessedOrder = order.id;
    if (order.status === 'declined') this.#reviewing.set(true);
  }
}

export const [getSale, setSale] = createContext<Sale>();
