import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { Landmark } from '@stampede/shared/seat-map/venue-layout.ts';
import { levelColour, type Palette } from './palette.ts';
import type { SectionShape } from './seat-geometry.ts';
import type { Placement } from './seat-painter.ts';

/** What a section's label says; the words come formatted in the buyer's language. */
export interface SectionWords {
  readonly free: string;
  readonly from: string;
}

const NAME_ROOM_PX = { width: 26, height: 14 };
const DETAILS_ROOM_PX = { width: 74, height: 56 };
/** How strongly a section is tinted, from hardly any seat free to all of them; ink stays legible on both. */
const TINT_MIN = 0.12;
const TINT_MAX = 0.58;
const BORDER_PX = 3;

/** Draws what is not single seats: landmarks, shapes of sections, labels. */
export class VenuePainter {
  readonly #context: CanvasRenderingContext2D;

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  landmark({ kind, label, outline }: Landmark, at: Placement, palette: Palette): void {
    const context = this.#context;
    const [xs, ys] = [outline.map(([x]) => x), outline.map(([, y]) => y)];
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    context.beginPath();
    for (const [x, y] of outline) context.lineTo(x * at.k + at.x, y * at.k + at.y);
    context.closePath();
    context.lineJoin = 'round';
    const solid = kind === 'stage';
    context.fillStyle = solid ? palette.ink : palette.line;
    context.globalAlpha = solid ? 1 : 0.45;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = solid ? palette.ink : palette.lineStrong;
    context.lineWidth = 1;
    context.stroke();
    const size = Math.min(28, Math.max(11, (right - left) * at.k * 0.075));
    context.font = `680 ${size}px ${palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = solid ? palette.onInk : palette.ink2;
    const middle = (Math.min(...ys) + Math.max(...ys)) / 2;
    context.fillText(label, ((left + right) / 2) * at.k + at.x, middle * at.k + at.y);
  }

  /** A section as a shape, tinted by how much of it is free. Before its summary has come it is plain. */
  section(shape: SectionShape, summary: SectionSummary | undefined, at: Placement, palette: Palette): void {
    const share = summary ? summary.free / shape.section.seatCount : 0;
    const width = shape.pitch * at.k;
    for (const block of shape.blocks) {
      const colour = share > 0 ? levelColour(palette, block.priceLevel) : palette.line;
      this.#trace(block.outline, at);
      this.#blob(width + (share > 0 ? BORDER_PX : 0), colour, 1);
      if (share > 0) this.#blob(width, colour, TINT_MIN + (TINT_MAX - TINT_MIN) * Math.sqrt(share));
    }
  }

  /** The ground under seats drawn one by one. */
  ground(shape: SectionShape, at: Placement, palette: Palette): void {
    for (const block of shape.blocks) {
      this.#trace(block.outline, at);
      this.#blob(shape.pitch * at.k * 1.5, palette.line, 0.35);
    }
  }

  label(
    shape: SectionShape,
    words: SectionWords | null,
    at: Placement,
    palette: Palette,
    full: boolean,
  ): void {
    const width = shape.room[0] * at.k;
    const height = shape.room[1] * at.k;
    if (width < NAME_ROOM_PX.width || height < NAME_ROOM_PX.height) return;
    const context = this.#context;
    const x = shape.centre[0] * at.k + at.x;
    const y = shape.centre[1] * at.k + at.y;
    const size = Math.min(19, Math.max(10, Math.min(width / 6, height / 3)));
    const detailed = words && width >= DETAILS_ROOM_PX.width && height >= DETAILS_ROOM_PX.height;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = full ? palette.ink2 : palette.ink;
    const line = size * 1.22;
    this.#name(shape.section.name, x, detailed ? y - line : y, width * 0.92, size, palette);
    if (!detailed) return;
    context.font = `560 ${size * 0.8}px ${palette.font}`;
    context.fillText(words.free, x, y);
    context.fillText(words.from, x, y + line * 0.9);
  }

  /** A section's name at the edge of its seats, on a halo so that it reads on whatever is behind. */
  tag({ section, bounds, crown, slope }: SectionShape, at: Placement, palette: Palette): void {
    const context = this.#context;
    const size = 12;
    const room = (bounds.right - bounds.left) * at.k * 1.2;
    context.font = `680 ${size}px ${palette.font}`;
    const short = section.name.slice(section.name.lastIndexOf(' ') + 1);
    const text = context.measureText(section.name).width <= room ? section.name : short;
    context.save();
    context.translate(crown[0] * at.k + at.x, crown[1] * at.k + at.y);
    context.rotate(slope);
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    context.lineWidth = 3;
    context.strokeStyle = this.paper;
    context.strokeText(text, 0, -size * 0.6);
    context.fillStyle = palette.ink;
    context.fillText(text, 0, -size * 0.6);
    context.restore();
  }

  /** The row's letter beside its first seat. */
  rowLabel(text: string, x: number, y: number, size: number, palette: Palette): void {
    const context = this.#context;
    context.font = `600 ${Math.min(15, size * 0.46)}px ${palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = palette.ink2;
    context.fillText(text, x, y);
  }

  /** The whole name where it fits, else its last word: `Block 112` is known as 112. */
  #name(name: string, x: number, y: number, room: number, size: number, palette: Palette): void {
    const context = this.#context;
    context.font = `700 ${size}px ${palette.font}`;
    const short = name.slice(name.lastIndexOf(' ') + 1);
    const text = context.measureText(name).width <= room ? name : short;
    if (context.measureText(text).width <= room * 1.1) context.fillText(text, x, y);
  }

  #trace(outline: Float32Array, at: Placement): void {
    const context = this.#context;
    context.beginPath();
    for (let index = 0; index < outline.length; index += 2) {
      context.lineTo((outline[index] ?? 0) * at.k + at.x, (outline[index + 1] ?? 0) * at.k + at.y);
    }
    context.closePath();
  }

  /** Fills the traced outline, widened by half a seat with round corners: it runs through seats' centres. */
  #blob(width: number, colour: string, alpha: number): void {
    const context = this.#context;
    context.fillStyle = colour;
    context.strokeStyle = colour;
    context.lineJoin = 'round';
    context.lineWidth = width;
    // Fill and stroke overlap; seen through, they would show a seam, so the colour is mixed instead.
    if (alpha < 1) {
      context.fillStyle =
        context.strokeStyle = `color-mix(in srgb, ${colour} ${Math.round(alpha * 100)}%, ${this.paper})`;
    }
    context.fill();
    context.stroke();
  }

  /** What shapes are tinted towards; set with the palette. */
  paper = '#fff';
}
