import type { EndReason, Wire } from '../../src/gateway/wire.ts';
import { decodeServerFrame } from '@stampede/shared/protocol/codec.ts';
import type { ServerMessage, ServerMessageOf } from '@stampede/shared/protocol/messages.ts';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { Show } from '../../src/catalog/show.ts';
import { Sale } from '../../src/sale/sale.ts';
import { showId } from '../../src/platform/ids.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import { MemorySeatStore } from '../../src/seating/memory-seat-store.ts';
import { MemoryShowFeed } from '../../src/feed/memory-show-feed.ts';
import { seatRulesOf } from '../../src/sale/show-seats.ts';
import type { Audience } from '../../src/sale/section-broadcast.ts';
import { MemoryWaitingRoomStore } from '../../src/waiting-room/memory-waiting-room-store.ts';
import type { WaitingRoomSettings } from '../../src/waiting-room/waiting-room.ts';
import { draftOf, DRAW_SEED, layoutOf } from './app-stand-show.ts';

/** The other end of a socket, without a socket: keeps what was sent, and listens to topics like one. */
export class HeardWire implements Wire {
  readonly heard: ServerMessage[] = [];
  readonly topics = new Set<string>();
  closedAs: EndReason | null = null;
  readonly #town: Set<HeardWire>;

  constructor(town: Set<HeardWire>) {
    this.#town = town;
    town.add(this);
  }

  send(frame: Uint8Array): void {
    if (this.closedAs !== null) return;
    const decoded = decodeServerFrame(frame);
    if (!decoded.ok) throw new Error(decoded.detail);
    this.heard.push(decoded.message);
  }

  close(reason: EndReason): void {
    this.closedAs ??= reason;
    this.topics.clear();
    this.#town.delete(this);
  }

  subscribe(topic: string): void {
    if (this.closedAs === null) this.topics.add(topic);
  }

  unsubscribe(topic: string): void {
    this.topics.delete(topic);
  }

  cork(run: () => void): void {
    run();
  }

  of<Type extends ServerMessage['type']>(type: Type): ServerMessageOf<Type>[] {
    return this.heard.filter((message): message is ServerMessageOf<Type> => message.type === type);
  }
}

export const SECTION_SEATS = [20, 20];
export const waitingRoomSettings: WaitingRoomSettings = {
  graceMs: 10_000,
  claimMs: 1_000,
  queueMax: 100,
  placesPerNetworkMax: 1_000,
};

/** One on-sale with its in-process stores, without sockets, server or database. */
export async function openLiveSale(id = 1) {
  const clock = new ManualClock();
  const layout = layoutOf('house', SECTION_SEATS);
  const seatMap = seatMapOf(layout);
  const show: Show = {
    ...draftOf('Show', 'house', clock.now()),
    id: showId(id),
    layout,
    seatMap,
    drawSeed: DRAW_SEED,
    paused: false,
  };
  const seatRules = seatRulesOf(show, 100);
  const feed = new MemoryShowFeed({ nextTurn });
  const waitingRoom = new MemoryWaitingRoomStore((of, entry) => feed.publish(of, entry), clock);
  const seats = new MemorySeatStore({ feed, admissions: waitingRoom, newEpoch: () => 7, clock });
  const town = new Set<HeardWire>();
  const audience: Audience = {
    publish(topic, frame) {
      for (const wire of town) if (wire.topics.has(topic)) wire.send(frame);
    },
    size: (topic) => [...town].filter((wire) => wire.topics.has(topic)).length,
  };
  await seats.open(seatRules, { sold: [], checkouts: [] });
  const sale = await Sale.open(show, {
    outside: { clock, random: seededRandom(1), nextTurn, report: () => undefined },
    waitingRoom: { store: waitingRoom, settings: waitingRoomSettings },
    seatsHeldPerAddressPercent: 100,
    audience,
    feed,
    countSeatChanges: () => undefined,
  });
  return { clock, feed, seats, waitingRoom, sale, newWire: () => new HeardWire(town) };
}

/** Everything that was due in this turn of the event loop, and what the feed delivers after it. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}
