type Backing = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/**
 * Texts in the browser's storage, which may be forbidden, full, or hold something else: what can't be read is not
 * there, and what can't be kept lasts as long as the page. Merely touching forbidden storage throws, so it is touched
 * only where that is expected.
 */
export class BrowserShelf {
  readonly #storage: () => Backing;

  constructor(storage: () => Backing) {
    this.#storage = storage;
  }

  read(name: string): string | null {
    try {
      return this.#storage().getItem(name);
    } catch {
      return null;
    }
  }

  /** What was kept as JSON; null where it is something else. */
  readJson(name: string): unknown {
    try {
      return JSON.parse(this.read(name) ?? 'null');
    } catch {
      return null;
    }
  }

  /** Null takes it away. */
  keep(name: string, text: string | null): void {
    try {
      if (text === null) this.#storage().removeItem(name);
      else this.#storage().setItem(name, text);
    } catch {
      // As said: the page goes on without.
    }
  }
}

/** For all tabs and the next visit. */
export const lasting = new BrowserShelf(() => localStorage);
/** For this tab, also over a reload. */
export const ofThisTab = new BrowserShelf(() => sessionStorage);
