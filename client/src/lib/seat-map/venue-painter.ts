import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { Landmark, Point } from '@stampede/shared/seat-map/venue-layout.ts';
import { type Bounds, boundsOf, middleOf } from './bounds.ts';
import { levelColour, type Palette } from './palette.ts';
import type { SectionShape } from './seat-geometry.ts';
import type { Placement } from './seat-painter.ts';
import type { Measure, SectionLabel } from './section-labels.ts';

const BORDER_PX = 3;
const LANDMARK_WEIGHT = 680;

/** A landmark's text, in pixels from the venue's origin. */
interface LandmarkText {
  readonly x: number;
  readonly y: number;
  readonly size: number;
}

function landmarkText({ outline }: Landmark, k: number): LandmarkText {
  const bounds = boundsOf(outline);
  const [x, y] = middleOf(bounds);
  const size = Math.min(28, Math.max(11, (bounds.right - bounds.left) * k * 0.075));
  return { x: x * k, y: y * k, size };
}

/** Where a landmark's name stands, so that no other does. */
export function landmarkBox(landmark: Landmark, k: number, measure: Measure): Bounds {
  const { x, y, size } = landmarkText(landmark, k);
  const half = measure(landmark.label, size, LANDMARK_WEIGHT) / 2;
  return { left: x - half, top: y - size / 2, right: x + half, bottom: y + size / 2 };
}

/** Draws what is not single seats: landmarks, shapes of sections, labels. */
export class VenuePainter {
  readonly #context: CanvasRenderingContext2D;

  constructor(context: CanvasRenderingContext2D) {
    this.#context = context;
  }

  landmark(landmark: Landmark, at: Placement, palette: Palette): void {
    const context = this.#context;
    const { kind, label, outline } = landmark;
    this.#trace(outline, at);
    context.lineJoin = 'round';
    const solid = kind === 'stage';
    context.fillStyle = solid ? palette.ink : palette.ground;
    context.globalAlpha = solid ? 1 : 0.45;
    context.fill();
    context.globalAlpha = 1;
    context.strokeStyle = solid ? palette.ink : palette.lineStrong;
    context.lineWidth = 1;
    context.stroke();
    const { x, y, size } = landmarkText(landmark, at.k);
    context.font = `${LANDMARK_WEIGHT} ${size}px ${palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = solid ? palette.onInk : palette.ink2;
    context.fillText(label, x + at.x, y + at.y);
  }

  /** A section as a shape, tinted by how much of it is free. Before its summary has come it is an empty outline. */
  section(shape: SectionShape, summary: SectionSummary | undefined, at: Placement, palette: Palette): void {
    const share = summary ? summary.free / shape.section.seatCount : 0;
    const width = shape.pitch * at.k;
    const [least, most] = palette.tint;
    for (const block of shape.blocks) {
      this.#trace(block.outline, at);
      const colour = levelColour(palette, block.priceLevel);
      this.#blob(width + BORDER_PX, share > 0 ? colour : palette.line);
      if (share > 0)
        this.#blob(width, tinted(colour, least + (most - least) * Math.sqrt(share), palette.face));
      else this.#blob(width, summary ? palette.ground : palette.face);
    }
  }

  /** The ground under seats drawn one by one. */
  ground(shape: SectionShape, at: Placement, palette: Palette): void {
    for (const block of shape.blocks) {
      this.#trace(block.outline, at);
      this.#blob(shape.pitch * at.k * 1.5, tinted(palette.ground, 0.35, palette.face));
    }
  }

  label({ x, y, slope, lines, halo, faint }: SectionLabel, at: Placement, palette: Palette): void {
    const context = this.#context;
    context.save();
    context.translate(x + at.x, y + at.y);
    context.rotate(slope);
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.lineJoin = 'round';
    context.lineWidth = 3;
    context.strokeStyle = palette.face;
    context.fillStyle = faint ? palette.ink2 : palette.ink;
    for (const { text, size, weight, down } of lines) {
      context.font = `${weight} ${size}px ${palette.font}`;
      if (halo) context.strokeText(text, 0, down);
      context.fillText(text, 0, down);
    }
    context.restore();
  }

  /** The row's letter beside its first seat. */
  rowLabel(text: string, x: number, y: number, size: number, palette: Palette): void {
    const context = this.#context;
    context.font = `600 ${Math.min(15, Math.max(11, size * 0.46))}px ${palette.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    context.fillStyle = palette.ink2;
    context.fillText(text, x, y);
  }

  #trace(outline: readonly Point[], { k, x, y }: Placement): void {
    const context = this.#context;
    context.beginPath();
    for (const [pointX, pointY] of outline) context.lineTo(pointX * k + x, pointY * k + y);
    context.closePath();
  }

  /** Fills the traced outline, widened by half a seat with round corners: it runs through seats' centres. */
  #blob(width: number, colour: string): void {
    const context = this.#context;
    context.fillStyle = colour;
    context.strokeStyle = colour;
    context.lineJoin = 'round';
    context.lineWidth = width;
    context.fill();
    context.stroke();
  }
}

/** Fill and stroke overlap; seen through, they would show a seam, so the colour is mixed instead. */
function tinted(colour: string, share: number, paper: string): string {
  return `color-mix(in srgb, ${colour} ${Math.round(share * 100)}%, ${paper})`;
}
