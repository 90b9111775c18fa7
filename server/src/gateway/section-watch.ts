import { encodeServerMessage } from '@stampede/shared/protocol/codec.ts';
import type { ClientMessageOf, ServerMessage } from '@stampede/shared/protocol/messages.ts';
import { type Refusal, refuse } from '../platform/outcome.ts';
import { deltaFrame, sectionTopic } from '../sale/section-broadcast.ts';
import type { Sale } from '../sale/sale.ts';
import type { Wire } from './wire.ts';

/** What a client says it has: a section, at a position of its history. */
type Wanted = ClientMessageOf<'watch'>['sections'];
type Acknowledged = ClientMessageOf<'acknowledge'>['sections'];

/**
 * The sections one socket watches. A section starts with the deltas the client is missing, or a snapshot, and goes
 * on with the broadcasts; a socket whose acknowledgements show that a broadcast never arrived gets a snapshot.
 */
export class SectionWatch {
  readonly #sale: Sale;
  readonly #wire: Wire;
  /** Per watched section the sequence that the next acknowledgement must have reached. */
  readonly #due = new Map<number, number>();

  constructor(sale: Sale, wire: Wire) {
    this.#sale = sale;
    this.#wire = wire;
  }

  /** Replaces what is watched. Refusal: `section-unknown`, and then nothing changes. */
  set(wanted: Wanted, requestId: number): ServerMessage | Refusal {
    const { board, show } = this.#sale;
    const unknown = wanted.find(({ section }) => section >= board.sectionCount);
    if (unknown) return refuse('section-unknown', { detail: `there is no section ${unknown.section}` });
    const sections = new Map(wanted.map((one) => [one.section, one]));
    this.#wire.cork(() => {
      for (const section of this.#due.keys()) {
        if (!sections.has(section)) this.#drop(section);
      }
      for (const [section, position] of sections) {
        // What the section's other watchers have not heard yet is told to them first: then the deltas that follow
        // begin, for everybody, where the snapshot ends.
        this.#sale.broadcast.flush(section);
        const missed = board.since(section, position);
        if (!missed) this.#sendSnapshot(section);
        else if (missed.changes.length > 0) this.#wire.send(deltaFrame(missed));
        this.#wire.subscribe(sectionTopic(show.id, section));
        this.#due.set(section, 0);
      }
    });
    return { type: 'done', requestId };
  }

  /**
   * A delta sent before the last acknowledgement must be contained in this one. Where it isn't, it was lost on the
   * way to a slow reader, and the section is sent whole.
   */
  acknowledge(sections: Acknowledged): void {
    for (const { section, sequence } of sections) {
      const due = this.#due.get(section);
      if (due === undefined) continue;
      if (sequence < due) {
        this.#sale.broadcast.flush(section);
        this.#wire.cork(() => this.#sendSnapshot(section));
      }
      this.#due.set(section, this.#sale.board.sequence(section));
    }
  }

  /** History was lost: everything watched, from the beginning. */
  restart(): void {
    this.#wire.cork(() => {
      for (const section of this.#due.keys()) {
        this.#sendSnapshot(section);
        this.#due.set(section, 0);
      }
    });
  }

  clear(): void {
    for (const section of [...this.#due.keys()]) this.#drop(section);
  }

  #drop(section: number): void {
    this.#due.delete(section);
    this.#wire.unsubscribe(sectionTopic(this.#sale.show.id, section));
  }

  #sendSnapshot(section: number): void {
    const { epoch, sequence, packed } = this.#sale.board.snapshot(section);
    this.#wire.send(encodeServerMessage({ type: 'snapshot', section, epoch, sequence, statuses: packed }));
  }
}
