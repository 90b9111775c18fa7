import { expect } from 'vitest';
import type { ClientMessage, ClientMessageOf, ServerMessage } from '../../protocol/messages.ts';
import { encodeSectionDelta, type SeatChange } from '../../seat-map/section-delta.ts';
import { packStatuses } from '../../seat-map/seat-status.ts';
import type { ScriptedSocket } from './scripted-server.ts';
import { SHOW, Stage } from './show-script.ts';

/** One section in one epoch: where it began, and every change since. */
interface History {
  readonly base: Uint8Array;
  readonly changes: SeatChange[];
}

/**
 * A server with a true history of each section, and a wire to one client that a test may tamper with. Its feed is
 * the contract's: deltas of what was not published yet, snapshots for whoever cannot be continued.
 */
export class FeedHouse {
  readonly stage = new Stage();
  readonly #histories = new Map<number, readonly History[]>();
  #epoch = 1;
  #wire: ServerMessage[] = [];
  #published = new Map<number, number>();

  constructor(seatCounts: readonly number[]) {
    this.#histories.set(
      this.#epoch,
      seatCounts.map((seatCount) => ({ base: new Uint8Array(seatCount), changes: [] })),
    );
    this.stage.server.script = (message, socket) => {
      this.#answer(message, socket);
    };
  }

  /** Lets the client in and shows it both sections. */
  start(): void {
    const sections = this.#now.map(({ base }) => ({ seatCount: base.length }));
    void this.stage.client.enter(SHOW, { sections });
    void this.stage.client.watch([0, 1]);
    this.stage.client.start();
    this.stage.socket.accept();
    this.deliver(Infinity);
  }

  change(section: number, { seat, status }: SeatChange): void {
    this.#now[section]?.changes.push({ seat, status });
  }

  /** One tick: a delta for each watched section that changed. */
  publish(): void {
    for (const [section, from] of this.#published) {
      const changes = this.#now[section]?.changes.slice(from) ?? [];
      if (changes.length === 0) continue;
      const sequence = from + changes.length;
      this.#wire.push({ type: 'delta', section, sequence, changes: encodeSectionDelta(changes) });
      this.#published.set(section, sequence);
    }
  }

  deliver(frames: number): void {
    for (let sent = 0; sent < frames; sent++) {
      const message = this.#wire.shift();
      if (!message) return;
      this.stage.socket.say(message);
    }
  }

  loseFrame(): void {
    const at = this.#wire.findIndex((one) => one.type === 'delta' || one.type === 'snapshot');
    if (at >= 0) this.#wire.splice(at, 1);
  }

  repeatFrame(): void {
    const at = this.#wire.findIndex((one) => one.type === 'delta' || one.type === 'snapshot');
    const frame = this.#wire[at];
    if (frame) this.#wire.splice(at, 0, frame);
  }

  reconnect(): void {
    this.#forgetSocket();
    this.stage.socket.lose();
    this.stage.awaitSocket();
    this.stage.socket.accept();
  }

  /** History was lost: the statuses are what they are, and counting starts again. */
  loseHistory(): void {
    const bases = this.#now.map((history) => statusesAt(history, history.changes.length));
    this.#epoch++;
    this.#histories.set(
      this.#epoch,
      bases.map((base) => ({ base, changes: [] })),
    );
    if (this.#published.size === 0) return;
    this.#wire.push(this.#enteredMessage(0));
    for (const section of this.#published.keys()) this.#snapshot(section);
  }

  /** Lets everything under way arrive, and one more change of each section after it. */
  settle(): void {
    for (let round = 0; round < 12; round++) {
      if (this.stage.client.view.connection.state !== 'open') this.#acceptIfWaiting();
      if (round === 6) this.#now.forEach((_, section) => this.change(section, { seat: 0, status: 1 }));
      this.publish();
      this.deliver(Infinity);
      this.stage.clock.advance(2_500);
    }
  }

  /** [P5] Whatever is shown as sequence n of an epoch is what the changes 1…n of it lead to. */
  expectOnlyTruth(): void {
    for (const [section, { epoch, sequence, statuses }] of this.stage.client.view.sections) {
      const history = this.#histories.get(epoch)?.[section];
      if (!history) throw new Error(`there is no epoch ${epoch}`);
      expect(sequence).toBeLessThanOrEqual(history.changes.length);
      expect(statuses).toEqual(statusesAt(history, sequence));
    }
  }

  expectWholeTruth(): void {
    this.expectOnlyTruth();
    const shown = [...this.stage.client.view.sections].map(([section, { epoch, sequence }]) => [
      section,
      epoch,
      sequence,
    ]);
    expect(shown.toSorted()).toEqual(
      this.#now.map(({ changes }, section) => [section, this.#epoch, changes.length]),
    );
  }

  get #now(): readonly History[] {
    return this.#histories.get(this.#epoch) ?? [];
  }

  #answer(message: ClientMessage, socket: ScriptedSocket): void {
    if (socket !== this.stage.server.sockets.at(-1)) return;
    if (message.type === 'authenticate') {
      this.#wire.push({ type: 'welcome', requestId: message.requestId, now: this.stage.clock.now() });
    } else if (message.type === 'enter') {
      this.#wire.push(this.#enteredMessage(message.requestId));
    } else if (message.type === 'ping') {
      this.#wire.push({ type: 'pong', requestId: message.requestId, now: this.stage.clock.now() });
    } else if (message.type === 'watch') {
      this.#watch(message);
    }
  }

  #watch({ requestId, sections }: ClientMessageOf<'watch'>): void {
    this.#published.clear();
    for (const { section, epoch, sequence } of sections) {
      const length = this.#now[section]?.changes.length ?? 0;
      if (epoch === this.#epoch && sequence <= length) this.#published.set(section, sequence);
      else this.#snapshot(section);
    }
    this.publish();
    this.#wire.push({ type: 'done', requestId });
  }

  #snapshot(section: number): void {
    const history = this.#now[section];
    if (!history) return;
    const sequence = history.changes.length;
    const statuses = packStatuses(statusesAt(history, sequence));
    this.#wire.push({ type: 'snapshot', section, epoch: this.#epoch, sequence, statuses });
    this.#published.set(section, sequence);
  }

  #enteredMessage(requestId: number): ServerMessage {
    const now = this.stage.clock.now();
    return {
      type: 'entered',
      requestId,
      show: SHOW,
      epoch: this.#epoch,
      now,
      seatsPerBuyer: 6,
      holdLifetimeMs: 1,
    };
  }

  #acceptIfWaiting(): void {
    if (!this.stage.socket.ended) return;
    this.#forgetSocket();
    this.stage.awaitSocket();
    this.stage.socket.accept();
  }

  #forgetSocket(): void {
    this.#wire = [];
    this.#published.clear();
  }
}

function statusesAt({ base, changes }: History, sequence: number): Uint8Array {
  const statuses = Uint8Array.from(base);
  for (const { seat, status } of changes.slice(0, sequence)) statuses[seat] = status;
  return statuses;
}
