import { type Selection, selection, type TransitionLike } from 'd3-selection';
import { cubicInOut } from 'svelte/easing';

/**
 * Stands in for `d3-transition` (see `vite.config.ts`), of which d3-zoom needs the one kind below: a value that moves
 * over time. The package would add attributes, styles, colours and texts, and a fifth to the script of this page.
 */

/** d3-zoom hands these the datum, the index and the group of an element, and uses none of them. */
type Listener = (this: HTMLCanvasElement, datum: unknown, index: number, group: HTMLCanvasElement[]) => void;
type Tween = (
  this: HTMLCanvasElement,
  datum: unknown,
  index: number,
  group: HTMLCanvasElement[],
) => (progress: number) => void;
type CanvasSelection = Selection<HTMLCanvasElement, unknown, null, undefined>;

/** The glide that each canvas is on or about to set out on. */
const glides = new WeakMap<Element, Glide>();

/** A movement of the view on one canvas, from the next frame on. It ends early when the view is moved otherwise. */
export class Glide implements TransitionLike<HTMLCanvasElement, unknown> {
  readonly #selection: CanvasSelection;
  readonly #canvas: HTMLCanvasElement;
  readonly #listeners = new Map<string, Listener | null>();
  #tween: Tween | null = null;
  #durationMs = 250;
  #hasBegun = false;
  #frame: number;

  constructor(selection: CanvasSelection) {
    const canvas = selection.node();
    if (!canvas) throw new Error('nothing to move the view of');
    this.#selection = selection;
    this.#canvas = canvas;
    interrupt(canvas);
    glides.set(canvas, this);
    this.#frame = requestAnimationFrame((now) => this.#begin(now));
  }

  duration(milliseconds: number): this {
    this.#durationMs = milliseconds;
    return this;
  }

  selection(): CanvasSelection {
    return this.#selection;
  }

  /** Listens to `start`, `end` and `interrupt`; d3 writes several with a name behind each: `end.zoom`. */
  on(types: string, listener: Listener | null): this {
    for (const type of types.split(' ')) this.#listeners.set(type.split('.')[0] ?? '', listener);
    return this;
  }

  tween(_name: string, tween: Tween | null): this {
    this.#tween = tween;
    return this;
  }

  call<Given extends unknown[]>(act: (glide: this, ...given: Given) => void, ...given: Given): this {
    act(this, ...given);
    return this;
  }

  stop(): void {
    cancelAnimationFrame(this.#frame);
    glides.delete(this.#canvas);
    if (this.#hasBegun) this.#tell('interrupt');
  }

  #begin(began: number): void {
    this.#hasBegun = true;
    this.#tell('start');
    const move = this.#tween?.call(this.#canvas, undefined, 0, [this.#canvas]);
    const step = (now: number): void => {
      const progress = this.#durationMs > 0 ? Math.min(1, (now - began) / this.#durationMs) : 1;
      // At its very end the eased value is exact, and d3-zoom takes the goal itself.
      move?.(cubicInOut(progress));
      if (progress < 1) {
        this.#frame = requestAnimationFrame(step);
        return;
      }
      glides.delete(this.#canvas);
      this.#tell('end');
    };
    step(began);
  }

  #tell(type: string): void {
    this.#listeners.get(type)?.call(this.#canvas, undefined, 0, [this.#canvas]);
  }
}

/** Ends the glide that a canvas is on, if it is on any: d3-zoom calls this when a hand takes over. */
export function interrupt(canvas: Element): void {
  glides.get(canvas)?.stop();
}

// What d3-zoom expects of every selection, because `d3-transition` puts it there.
Object.assign(selection.prototype, {
  interrupt(this: CanvasSelection) {
    return this.each(function () {
      interrupt(this);
    });
  },
  transition(this: CanvasSelection) {
    return new Glide(this);
  },
});
