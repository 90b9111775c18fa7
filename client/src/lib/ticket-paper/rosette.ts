/**
 * The fine-line rosette of a ticket's security print: one curve, turned about its centre many times. Each show
 * has its own, drawn from its id, so that a ticket is recognised before it is read.
 */
export interface Rosette {
  /** SVG path data in a box of −100…100. */
  readonly path: string;
  readonly turns: number;
  /** Degrees from one turn of the curve to the next. */
  readonly stepDegrees: number;
}

const POINTS = 144;
const TURNS = 14;
const RADIUS = 62;
const PETALS = [5, 7, 8, 9, 11, 12] as const;
const RIPPLES = [2, 3, 4] as const;
const PETAL_DEPTH = 24;
const RIPPLE_DEPTH = 12;

export function rosetteOf(id: number): Rosette {
  const petals = PETALS[id % PETALS.length] ?? PETALS[0];
  const ripples = RIPPLES[Math.floor(id / PETALS.length) % RIPPLES.length] ?? RIPPLES[0];
  const points = Array.from({ length: POINTS }, (_, index) => {
    const angle = (index / POINTS) * 2 * Math.PI;
    const radius =
      RADIUS + PETAL_DEPTH * Math.sin(petals * angle) + RIPPLE_DEPTH * Math.cos(petals * ripples * angle);
    return `${(radius * Math.cos(angle)).toFixed(1)} ${(radius * Math.sin(angle)).toFixed(1)}`;
  });
  return { path: `M${points.join('L')}Z`, turns: TURNS, stepDegrees: 360 / petals / TURNS };
}

const STOCKS = 6;

/** The colour of paper a show is printed on; `stock-0 … stock-5` in tokens.css. */
export function stockOf(id: number): string {
  return `stock-${id % STOCKS}`;
}
