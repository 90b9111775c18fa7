type PlaceStore = Pick<Storage, 'getItem' | 'setItem'>;

/**
 * The farthest place this tab has seen for a show: where the bar of progress begins, also after a reload. A place
 * farther back than any before begins a new wait.
 */
export function startOfWait(show: number, position: number, store: PlaceStore): number {
  const name = `stampede:wait:${show}`;
  try {
    const start = Math.max(position, Number(store.getItem(name) ?? 0));
    if (start === position) store.setItem(name, String(position));
    return start;
  } catch {
    return position;
  }
}
