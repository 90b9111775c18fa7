import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { en } from '../../../client/src/lib/i18n/en.ts';
import { colouredPoints, countMarks, framesPass, marksCounted, pixelsOf } from './stand/in-page.ts';
import { findSeat, openSectionOnMap, tipAt } from './stand/seat-map-hand.ts';
import { Stand } from './stand/stand.ts';
import { DESKTOP, PHONE, type Visitor } from './stand/visitor.ts';

const OFFERS = 'Going, Going';
const GONE = 'Gone for Good';
const STADIUM = 'From Very Far';
const FLASHES = 'Flash and Glow';
const OWN_COLOURS = 'Black and White';
const SCREEN_4K = { ...DESKTOP, viewport: { width: 3840, height: 2160 } };
/** The stadium's size in metres, the room around it when all of it is shown, and what one press on the plus does. */
const VENUE = { width: 240, height: 206, marginPx: 20, zoomStep: 1.9 };
const SEATS_TO_TELL_BY = 24;
const ADVICE = /^Take the next best: Row A, seat (\d+)$/;

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([
    { title: OFFERS, venue: 'gaivotas-hall' },
    { title: GONE },
    { title: STADIUM, venue: 'loomfield-stadium' },
    { title: FLASHES, venue: 'lindenhof-theatre' },
    { title: OWN_COLOURS },
  ]);
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

const idOf = (title: string): number => stand.office.show(title).id;

describe('what the page offers can be had', () => {
  it('an offer of the next best seat goes when somebody takes that one too', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(OFFERS));
    await buyer.openSection('North');
    const rival = await stand.rival(OFFERS);
    const advice = buyer.page.getByRole('region', { name: 'Notices' }).getByRole('button', { name: ADVICE });
    // The rival's answer outruns the broadcast that tells everybody else, mostly: then the press comes too late.
    for (let seat = 0; (await advice.count()) === 0; seat++) {
      const button = await buyer.seat(seat, 'free').elementHandle();
      await rival.holds([seat]);
      await button.dispatchEvent('click');
      await expect
        .poll(async () => (await advice.count()) > 0 || (await buyer.seat(seat, 'held').count()) > 0)
        .toBe(true);
      if ((await advice.count()) === 0) await rival.releases([seat]);
    }
    const offered = Number(ADVICE.exec(await advice.innerText())![1]) - 1;
    await rival.holds([offered]);
    await buyer.seat(offered, 'held').waitFor();
    await advice.waitFor({ state: 'detached', timeout: 2_000 });
    await buyer.page.getByText(en.notice.taken, { exact: true }).waitFor();
  });
});

describe('what the map shows', () => {
  it('a sold seat that is pressed says so at once, and nobody is asked for it', async () => {
    const rival = await stand.rival(GONE);
    await rival.holds([0, 1, 2, 3]);
    await rival.buys();
    const buyer = await stand.visitor({ device: PHONE });
    await buyer.enterSale(idOf(GONE));
    await openSectionOnMap(buyer, (x, y) => buyer.page.touchscreen.tap(x, y));
    const sold = await findSeat(buyer, en.choose.sold);
    await buyer.page.mouse.move(1, 1);
    await buyer.page.locator('.map .tip').waitFor({ state: 'detached' });
    await buyer.page.touchscreen.tap(sold.x, sold.y);
    await buyer.page.locator('.map .tip', { hasText: en.choose.sold }).waitFor();
    expect(await buyer.cart.getByText(en.cart.empty).count()).toBe(1);
    expect(await buyer.page.getByText(en.notice.taken).count()).toBe(0);
  });

  it('every section in view has its seats or its share of free ones, however large the screen', async () => {
    const buyer = await stand.visitor({ device: SCREEN_4K });
    await buyer.enterSale(idOf(STADIUM));
    await buyer.page.locator('.map[data-ready="true"]').waitFor();
    await buyer.button(en.choose.zoomIn).click();
    await buyer.page.locator('.map[data-level="dots"]').waitFor();
    const places = await pointsInView(buyer);
    // More than may be watched: some of them have to be drawn from their summaries.
    expect(places.length).toBeGreaterThan(64);
    const blank = async () => {
      const coloured = await buyer.page.evaluate<boolean[]>(colouredPoints(places.flat()));
      return places.filter((points) => !points.map(() => coloured.shift()).includes(true)).length;
    };
    // Reading so large a canvas back takes a busy machine seconds.
    await expect.poll(blank, { timeout: 10_000 }).toBe(0);
  });

  it('a seat that somebody takes is painted again, and the map around it is not', async () => {
    const buyer = await stand.visitor();
    await buyer.page.emulateMedia({ reducedMotion: 'no-preference' });
    await buyer.enterSale(idOf(FLASHES));
    await buyer.page.locator('.map[data-ready="true"][data-level="dots"]').waitFor();
    const rival = await stand.rival(FLASHES);
    const { map } = stand.office.show(FLASHES);
    const isPainted = async () => (await buyer.page.evaluate<number>(marksCounted)) > 0;
    await buyer.page.evaluate(framesPass(60));
    await buyer.page.evaluate(countMarks);
    await rival.holds([0, 1, 2, 3]);
    await expect.poll(isPainted).toBe(true);
    // For as long as it glows.
    await buyer.page.evaluate(framesPass(60));
    expect(await buyer.page.evaluate<number>(marksCounted)).toBeLessThan(map.seatCount / 4);
  });

  it('where people chose the colours, what can be had, what is theirs and what is gone have one each', async () => {
    const rival = await stand.rival(OWN_COLOURS);
    await rival.holds([0, 1, 2, 3]);
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(OWN_COLOURS));
    await openSectionOnMap(buyer, (x, y) => buyer.page.mouse.click(x, y));
    const seat = await findSeat(buyer);
    await buyer.page.mouse.click(seat.x, seat.y);
    await expect.poll(async () => (await tipAt(buyer, seat))?.status).toBe(en.choose.mine);
    const states = pixelsOf(['LinkText', 'Highlight', 'GrayText']);
    await buyer.page.emulateMedia({ forcedColors: 'active' });
    await expect
      .poll(async () => Math.min(...(await buyer.page.evaluate<number[]>(states))), { timeout: 5_000 })
      .toBeGreaterThan(20);
  });
});

/** Where on the map the seats of each section are that is in view after one press on the plus. */
async function pointsInView(buyer: Visitor): Promise<(readonly [x: number, y: number])[][]> {
  const box = (await buyer.map.boundingBox())!;
  const { map } = stand.office.show(STADIUM);
  const { width, height, marginPx, zoomStep } = VENUE;
  const fit = Math.min((box.width - 2 * marginPx) / width, (box.height - 2 * marginPx) / height);
  const place = (seat: number) =>
    [
      box.width / 2 + (map.x[seat]! - width / 2) * fit * zoomStep,
      box.height / 2 + (map.y[seat]! - height / 2) * fit * zoomStep,
    ] as const;
  const isInView = ([x, y]: readonly [number, number]) =>
    x > 4 && y > 4 && x < box.width - 4 && y < box.height - 4;
  return map.sections
    .map(({ start, seatCount }) =>
      Array.from({ length: seatCount }, (_, seat) => place(start + seat)).filter(isInView),
    )
    .filter((points) => points.length >= SEATS_TO_TELL_BY);
}
