import { BrowserShelf } from '#lib/browser-shelf.ts';

/** A shelf in memory, which a test may fill with what no page of ours wrote. */
export function memoryShelf(items = new Map<string, string>()): BrowserShelf {
  return new BrowserShelf(() => ({
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, text) => void items.set(name, text),
    removeItem: (name) => void items.delete(name),
  }));
}

/** Storage that the reader has forbidden: touching it throws. */
export const forbiddenShelf = new BrowserShelf(() => {
  throw new Error('no storage');
});
