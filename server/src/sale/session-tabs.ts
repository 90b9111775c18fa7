import type { SessionId } from '../platform/ids.ts';

/**
 * The open tabs of every session. Nearly all buyers have a single one, which stands for itself: a set around it would
 * be a tenth of all that a waiting buyer takes.
 */
export class SessionTabs<Tab extends object> {
  readonly #tabs = new Map<SessionId, Tab | ReadonlySet<Tab>>();

  /** Sessions with a tab. */
  get size(): number {
    return this.#tabs.size;
  }

  has(session: SessionId): boolean {
    return this.#tabs.has(session);
  }

  sessions(): readonly SessionId[] {
    return [...this.#tabs.keys()];
  }

  of(session: SessionId): Iterable<Tab> {
    const tabs = this.#tabs.get(session);
    if (tabs === undefined) return [];
    return isSet(tabs) ? tabs : [tabs];
  }

  *all(): Iterable<Tab> {
    for (const session of this.#tabs.keys()) yield* this.of(session);
  }

  /** Adds a tab; true if it is its session's first. */
  add(session: SessionId, tab: Tab): boolean {
    const before = this.of(session);
    const isFirst = !this.#tabs.has(session);
    this.#tabs.set(session, isFirst ? tab : new Set([...before, tab]));
    return isFirst;
  }

  /** Removes a tab; true if it was its session's last. */
  remove(session: SessionId, tab: Tab): boolean {
    const left = new Set(this.of(session));
    if (!left.delete(tab)) return false;
    if (left.size > 0) this.#tabs.set(session, left);
    else this.#tabs.delete(session);
    return left.size === 0;
  }
}

function isSet<Tab extends object>(tabs: Tab | ReadonlySet<Tab>): tabs is ReadonlySet<Tab> {
  return tabs instanceof Set;
}
