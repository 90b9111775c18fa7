import { type Selection, selection } from 'd3-selection';
import { cubicInOut } from 'svelte/easing';

/**
 * Stands in for `d3-transition` (see `vite.config.ts`), which would add attributes, styles, colours and texts, and a
 * fifth to the script of this page. The map glides by setting d3-zoom's view frame by frame; d3-zoom itself asks only
 * that a glide ends when a hand takes over.
 */

/** The next frame of the glide that each canvas is on. */
const frames = new WeakMap<Element, number>();

/** Tells `show` from the next frame on how much of the way is behind, up to 1, which comes last and exact. */
export function glide(canvas: Element, durationMs: number, show: (progress: number) => void): void {
  interrupt(canvas);
  let began: number | null = null;
  const step = (now: number): void => {
    began ??= now;
    const progress = durationMs > 0 ? Math.min(1, (now - began) / durationMs) : 1;
    if (progress < 1) frames.set(canvas, requestAnimationFrame(step));
    show(cubicInOut(progress));
  };
  frames.set(canvas, requestAnimationFrame(step));
}

/** Ends the glide that a canvas is on, if it is on any. */
export function interrupt(canvas: Element): void {
  cancelAnimationFrame(frames.get(canvas) ?? 0);
}

// d3-zoom calls it on whatever it is told to show; a frame of a glide must not end the glide.
Object.assign(selection.prototype, {
  interrupt(this: Selection<Element, unknown, null, undefined>) {
    return this;
  },
});
