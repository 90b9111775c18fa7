import type { BrowserShelf } from '#lib/browser-shelf.ts';

/**
 * The farthest place this tab has seen for a show: where the bar of progress begins, also after a reload. A place
 * farther back than any before begins a new wait.
 */
export function startOfWait(show: number, position: number, shelf: BrowserShelf): number {
  const name = `stampede:wait:${show}`;
  const start = Math.max(position, Number(shelf.read(name) ?? 0));
  if (start === position) shelf.keep(name, String(position));
  return start;
}
