import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { en } from '../../../client/src/lib/i18n/en.ts';
import { enlargeText, framesPass, sidewaysPx } from './stand/in-page.ts';
import { findSeat, openSectionOnMap } from './stand/seat-map-hand.ts';
import { Stand } from './stand/stand.ts';
import { type Device, PHONE, type Visitor } from './stand/visitor.ts';

const UPRIGHT = 'In One Hand';
const ON_ITS_SIDE = 'In Both Hands';
const SHORT_HOLD = 'Last Call';
const LARGE = 'Twice as Large';
const LANDSCAPE: Device = { ...PHONE, viewport: { width: 844, height: 390 } };
/** Less than the minute in which the way to more time has to be in sight, enough for a slow machine. */
const SHORT_MS = 50_000;

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([
    { title: UPRIGHT, venue: 'lindenhof-theatre' },
    { title: ON_ITS_SIDE, venue: 'lindenhof-theatre' },
    { title: SHORT_HOLD, terms: { holdLifetimeMs: SHORT_MS } },
    { title: LARGE, terms: { holdLifetimeMs: SHORT_MS } },
  ]);
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

const idOf = (title: string): number => stand.office.show(title).id;

async function boxesOf({ map, cart }: Visitor) {
  return { map: (await map.boundingBox())!, cart: (await cart.boundingBox())! };
}

describe('choosing seats on a phone', () => {
  it.each([
    ['upright', UPRIGHT, PHONE],
    ['on its side', ON_ITS_SIDE, LANDSCAPE],
  ])(
    '%s: the map has most of the screen, and the first seat in the cart moves and hides nothing',
    async (_, title, device) => {
      const buyer = await stand.visitor({ device });
      await buyer.enterSale(idOf(title));
      await openSectionOnMap(buyer, (x, y) => buyer.page.touchscreen.tap(x, y));
      const seat = await findSeat(buyer);
      const before = await boxesOf(buyer);
      await buyer.page.touchscreen.tap(seat.x, seat.y);
      await buyer.button(en.cart.checkout).waitFor();
      await buyer.page.evaluate(framesPass(5));
      const { map, cart } = await boxesOf(buyer);
      expect(map).toEqual(before.map);
      expect(map.height).toBeGreaterThan(device.viewport.height * 0.5);
      const isApart = cart.y >= map.y + map.height || cart.x >= map.x + map.width;
      expect(isApart).toBe(true);
    },
  );

  it('more time is in sight without unfolding the cart when little is left', async () => {
    const buyer = await stand.visitor({ device: PHONE });
    await buyer.enterSale(idOf(SHORT_HOLD));
    await buyer.button(/^List$/).click();
    await buyer.look('sections');
    await buyer.openSection('Left');
    await buyer.take(0);
    await buyer.look('seats and cart');
    const more = buyer.button(new RegExp(`^${en.cart.extend}`));
    await more.waitFor({ timeout: 5_000 });
    const cart = (await buyer.cart.boundingBox())!;
    const room = (await more.boundingBox())!;
    expect(room.y).toBeGreaterThanOrEqual(cart.y);
    expect(room.y + room.height).toBeLessThanOrEqual(PHONE.viewport.height);
    await more.click();
    await buyer.page.getByText(en.notice.extended).waitFor();
  });

  it('with text twice as large, all of the cart fits the screen', async () => {
    const buyer = await stand.visitor({ device: PHONE });
    await buyer.enterSale(idOf(LARGE));
    await buyer.openSection('Left');
    await buyer.take(0);
    await buyer.page.evaluate(enlargeText(200));
    await buyer.page.evaluate(framesPass(5));
    expect(await buyer.page.evaluate<number>(sidewaysPx)).toBe(0);
    for (const name of [en.cart.checkout, en.cart.extend, en.cart.open]) {
      const room = (await buyer.cart.getByRole('button', { name }).boundingBox())!;
      expect(room.x).toBeGreaterThanOrEqual(0);
      expect(room.x + room.width).toBeLessThanOrEqual(PHONE.viewport.width);
      expect(room.y + room.height).toBeLessThanOrEqual(PHONE.viewport.height);
    }
  });
});
