import { ManualClock } from '../../platform/testing/manual-clock.ts';
import { seededRandom } from '../../platform/random.ts';
import type { OrderMessage, ServerMessageOf } from '../../protocol/messages.ts';
import { encodeSummaries } from '../../seat-map/section-summary.ts';
import { packStatuses } from '../../seat-map/seat-status.ts';
import { type ClientChange, type ClientOptions, StampedeClient } from '../stampede-client.ts';
import { ScriptedServer, type ScriptedSocket } from './scripted-server.ts';

export const SHOW = 7;
export const EPOCH = 3;
export const SEAT_COUNTS = [8, 12, 500];
export const LAYOUT = { sections: SEAT_COUNTS.map((seatCount) => ({ seatCount })) };

export const ORDER: OrderMessage = {
  id: 'order-1',
  show: SHOW,
  status: 'processing',
  seats: [4],
  amount: 9_500,
  currency: 'EUR',
  createdAt: 1_700_000_000_000,
  reason: '',
  tickets: [],
};

/** A client and a server in memory, with the clock in the test's hand. */
export class Stage {
  readonly clock = new ManualClock();
  readonly server = new ScriptedServer();
  readonly changes: ClientChange[] = [];
  readonly client: StampedeClient;
  #revision = 0;

  /** With a bearer, or as a browser does with a cookie. */
  constructor(options: Partial<ClientOptions> = {}, credential: 'bearer' | 'cookie' = 'bearer') {
    this.client = new StampedeClient({
      url: 'ws://host/socket',
      ...(credential === 'bearer' ? { bearer: 'signed-session' } : {}),
      openSocket: this.server.openSocket,
      clock: this.clock,
      random: seededRandom(1),
      ...options,
    });
    this.client.onChange((change) => {
      this.changes.push(change);
    });
  }

  get socket(): ScriptedSocket {
    return this.server.socket;
  }

  /** Starts, opens and welcomes. */
  open(): this {
    this.client.start();
    this.welcome();
    return this;
  }

  welcome(): void {
    this.socket.accept();
    this.socket.answer('authenticate', { type: 'welcome', now: this.clock.now() });
  }

  /** Opens and enters the show, with nothing held. */
  enter(): this {
    void this.client.enter(SHOW, LAYOUT);
    this.open();
    this.answerEnter();
    return this;
  }

  /** Says what `enter` makes a server say: the state first, the answer last. */
  answerEnter(more: { hold?: ServerMessageOf<'hold'>; order?: OrderMessage; epoch?: number } = {}): void {
    const { socket, clock } = this;
    const now = clock.now();
    socket.say({ type: 'phase', phase: 'open', lobbyAt: now, opensAt: now, now });
    socket.say({ type: 'admitted', requestId: 0, deadline: now + 600_000, now });
    if (more.hold) socket.say(more.hold);
    if (more.order) socket.say({ type: 'order', requestId: 0, order: more.order });
    const summaries = SEAT_COUNTS.map((free, section) => ({ section, free, cheapest: 0 }));
    socket.say({ type: 'summary', sections: encodeSummaries(summaries) });
    socket.answer('enter', {
      type: 'entered',
      show: SHOW,
      epoch: more.epoch ?? EPOCH,
      now,
      seatsPerBuyer: 6,
      holdLifetimeMs: 120_000,
    });
  }

  /** Each is newer than the one before. */
  holdMessage(holdToken: number, seats: readonly number[], requestId = 0): ServerMessageOf<'hold'> {
    const now = this.clock.now();
    return {
      type: 'hold',
      requestId,
      holdToken,
      seats,
      expiresAt: now + 120_000,
      now,
      extensionsLeft: 2,
      orderId: null,
      payment: 'none',
      revision: ++this.#revision,
    };
  }

  /** The end of a hold, newer than every word about it before. */
  holdEndedMessage(holdToken: number, seats: readonly number[]): ServerMessageOf<'hold-ended'> {
    const revision = ++this.#revision;
    return { type: 'hold-ended', requestId: 0, holdToken, seats, reason: 'expired', revision };
  }

  /** A snapshot of a section in which every seat is available. */
  snapshot(section: number, sequence: number, epoch = EPOCH): void {
    const statuses = packStatuses(new Uint8Array(SEAT_COUNTS[section] ?? 0));
    this.socket.say({ type: 'snapshot', section, epoch, sequence, statuses });
  }

  /** Loses the connection and lets the client come back to a server that welcomes it. */
  comeBack(): void {
    this.socket.lose();
    this.awaitSocket();
    this.welcome();
  }

  /** Lets time pass until the client opens another socket. */
  awaitSocket(): void {
    const before = this.server.sockets.length;
    for (let waited = 0; this.server.sockets.length === before; waited += 100) {
      if (waited > 60_000) throw new Error('the client does not come back');
      this.clock.advance(100);
    }
  }
}
