import type { SessionId } from '../platform/ids.ts';

/** Something in line: smaller scores stand nearer the head, equal ones by session, as in a Redis sorted set. */
export interface Ranked {
  readonly score: number;
  readonly session: SessionId;
}

/** A block past this is cut in half: short enough to shift in a moment, long enough to have few of them. */
const BLOCK_MAX = 512;

/**
 * A sorted line made for 100,000, kept in blocks: one flat array would move half of it for everybody whom the draw
 * puts in the middle. Finding a place is two binary searches, its rank the sum of the blocks before it.
 */
export class RankedQueue<T extends Ranked> {
  /** Sorted, none of them empty. */
  #blocks: T[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The item in front of all others. */
  first(): T | undefined {
    return this.#blocks[0]?.[0];
  }

  /** Every item with a score above `score`; costs nothing where there is none. */
  after(score: number): T[] {
    const [at, index] = this.#find((other) => other.score > score);
    return this.#blocks.slice(at).flatMap((block, further) => (further === 0 ? block.slice(index) : block));
  }

  /** Every item, from head to end. */
  toArray(): T[] {
    return this.#blocks.flat();
  }

  /** Puts an item in its place. Nothing with the same score and session may be in line. */
  insert(item: T): void {
    const [at, index] = this.#find((other) => !isBefore(other, item));
    // Whoever stands behind everybody joins the last block.
    const last = this.#blocks.length - 1;
    const block = at > last ? this.#blocks[last] : this.#blocks[at];
    this.#size++;
    if (!block) {
      this.#blocks.push([item]);
      return;
    }
    block.splice(at > last ? block.length : index, 0, item);
    if (block.length > BLOCK_MAX) this.#blocks.splice(Math.min(at, last) + 1, 0, block.splice(BLOCK_MAX / 2));
  }

  /** Items in front of the one with this score and session; -1 if it is not in line. */
  rankOf(item: Ranked): number {
    const [at, index] = this.#find((other) => !isBefore(other, item));
    return this.#holds(at, index, item) ? this.#sizeBefore(at) + index : -1;
  }

  /** Takes out the item with this score and session and says whether it was in line. */
  remove(item: Ranked): boolean {
    const [at, index] = this.#find((other) => !isBefore(other, item));
    if (!this.#holds(at, index, item)) return false;
    const block = this.#blocks[at];
    block?.splice(index, 1);
    if (block?.length === 0) this.#blocks.splice(at, 1);
    this.#size--;
    return true;
  }

  /** How many have a score of at most `score`. */
  countUpTo(score: number): number {
    const [at, index] = this.#find((other) => other.score > score);
    return this.#sizeBefore(at) + index;
  }

  #holds(at: number, index: number, item: Ranked): boolean {
    const found = this.#blocks[at]?.[index];
    return found?.score === item.score && found.session === item.session;
  }

  #sizeBefore(at: number): number {
    let size = 0;
    for (let index = 0; index < at; index++) size += this.#blocks[index]?.length ?? 0;
    return size;
  }

  /** Block and index of the first item for which `isIt` holds; it must hold for all behind that one. */
  #find(isIt: (item: T) => boolean): readonly [block: number, index: number] {
    const at = firstIndex(this.#blocks, (block) => holdsAtEnd(block, isIt));
    return [at, firstIndex(this.#blocks[at] ?? [], isIt)];
  }
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.score < b.score || (a.score === b.score && a.session < b.session);
}

function holdsAtEnd<E>(block: readonly E[], isIt: (element: E) => boolean): boolean {
  const last = block.at(-1);
  return last !== undefined && isIt(last);
}

/** Binary search for the first element for which `isIt` holds; the length if there is none. */
function firstIndex<E>(list: readonly E[], isIt: (element: E) => boolean): number {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const element = list[middle];
    if (element !== undefined && !isIt(element)) low = middle + 1;
    else high = middle;
  }
  return low;
}
