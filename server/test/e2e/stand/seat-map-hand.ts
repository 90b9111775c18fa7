import { framesPass } from './in-page.ts';
import type { Visitor } from './visitor.ts';

/** A seat found on the map: where to press, and what the tip calls it. */
export interface FoundSeat {
  readonly x: number;
  readonly y: number;
  /** `Row B, seat 5`. */
  readonly name: string;
  readonly section: string;
}

const STEP_PX = 7;
const PROBES_MAX = 900;
/** With reduced motion the map jumps, by a transition of no length: one frame to begin, one to end, and some more. */
const FRAMES_UNTIL_MOVED = 5;

/** Points of the map from its middle outwards. */
async function* pointsOf(visitor: Visitor): AsyncGenerator<{ readonly x: number; readonly y: number }> {
  const box = await visitor.map.boundingBox();
  if (!box) throw new Error('there is no seat map on the page');
  const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
  for (let probe = 0; probe < PROBES_MAX; probe++) {
    // A sunflower's spiral: even in density, and no direction is left out.
    const radius = STEP_PX * Math.sqrt(probe);
    const angle = probe * 2.399963;
    const point = { x: middle.x + radius * Math.cos(angle), y: middle.y + radius * Math.sin(angle) };
    const isInside =
      Math.abs(point.x - middle.x) < box.width / 2 && Math.abs(point.y - middle.y) < box.height / 2;
    if (isInside) yield point;
  }
}

/** What the tip under the mouse says; null where there is no seat. */
export async function tipAt(visitor: Visitor, point: { readonly x: number; readonly y: number }) {
  await visitor.page.mouse.move(point.x, point.y);
  const words = await visitor.page.locator('.map .tip > *').allTextContents();
  const [name, section, priceAndStatus] = words;
  return name !== undefined && section !== undefined && priceAndStatus !== undefined
    ? { name, section, status: priceAndStatus.split(' · ')[1] ?? '' }
    : null;
}

/** Finds a seat the way a person does: moving the mouse over the map and reading the tip. */
export async function findSeat(visitor: Visitor, status = 'available'): Promise<FoundSeat> {
  for await (const point of pointsOf(visitor)) {
    const tip = await tipAt(visitor, point);
    if (tip?.status === status) return { ...point, name: tip.name, section: tip.section };
  }
  throw new Error(`no seat on the map is ${status}`);
}

/** Presses on the map, from its middle outwards, until it shows seats with their numbers. */
export async function openSectionOnMap(
  visitor: Visitor,
  press: (x: number, y: number) => Promise<void>,
): Promise<void> {
  const map = visitor.page.locator('.map');
  await visitor.page.locator('.map[data-ready="true"]').waitFor();
  for await (const { x, y } of pointsOf(visitor)) {
    if ((await map.getAttribute('data-level')) === 'seats') return;
    await press(x, y);
    await visitor.page.evaluate(framesPass(FRAMES_UNTIL_MOVED));
  }
  throw new Error('no section of the map opened');
}
