import type { SessionId } from '../../../src/platform/ids.ts';
import type { FeedBase, FeedEntry, FeedFollower, Notice } from '../../../src/feed/show-feed.ts';

/** Follows a feed as a gateway does: what it shows is the last base with every later change applied. */
export class FeedReader implements FeedFollower {
  readonly bases: FeedBase[] = [];
  /** Entries heard since the last base. */
  entries: FeedEntry[] = [];
  statuses = new Uint8Array();
  sequences: number[] = [];
  /** What came in which order, for rules about order. */
  readonly calls: ('base' | 'entries')[] = [];
  readonly sectionOf: Uint16Array;

  constructor(sectionOf: Uint16Array) {
    this.sectionOf = sectionOf;
  }

  get epoch(): number {
    return this.bases.at(-1)?.epoch ?? 0;
  }

  base(): FeedBase {
    return { epoch: this.epoch, statuses: this.statuses.slice(), sequences: [...this.sequences] };
  }

  onBase(base: FeedBase): void {
    this.calls.push('base');
    this.bases.push(base);
    this.entries = [];
    this.statuses = base.statuses.slice();
    this.sequences = [...base.sequences];
  }

  /** What a test does whenever entries were heard. */
  afterEntries: () => void = () => undefined;

  onEntries(entries: readonly FeedEntry[]): void {
    this.calls.push('entries');
    for (const entry of entries) {
      this.entries.push(entry);
      for (const { seat, status } of entry.changes) {
        this.statuses[seat] = status;
        const section = this.sectionOf[seat] ?? 0;
        this.sequences[section] = (this.sequences[section] ?? 0) + 1;
      }
    }
    this.afterEntries();
  }

  /** What a session was told, oldest first. */
  noticesTo(session: SessionId): Notice[] {
    return this.entries.flatMap(({ notice }) =>
      notice && 'session' in notice && notice.session === session ? [notice] : [],
    );
  }
}
