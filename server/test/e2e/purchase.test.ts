import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sidewaysPx } from './stand/in-page.ts';
import { findSeat, openSectionOnMap } from './stand/seat-map-hand.ts';
import { Stand } from './stand/stand.ts';
import { PHONE, type Visitor } from './stand/visitor.ts';

const TICKET_CODE = /^[0-9A-Z-]{8,}$/;
const THEATRE = 'A Night with a Mouse';
const KEYS = 'Keys without a Mouse';
const POCKET = 'Pocket Theatre';

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([
    { title: THEATRE, venue: 'lindenhof-theatre', terms: { admittedMax: 1 } },
    { title: KEYS, venue: 'gaivotas-hall' },
    { title: POCKET, venue: 'lindenhof-theatre' },
  ]);
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

/** That the page shows one valid ticket for a seat, with a code to be scanned. */
async function expectTicket({ tickets, page }: Visitor, place: { section: string; name: string }) {
  await tickets.waitFor();
  expect(await tickets.count()).toBe(1);
  const [, row, seat] = /^Row (.+), seat (.+)$/.exec(place.name)!;
  const facts = await tickets.locator('dd').allInnerTexts();
  expect(facts).toEqual([place.section, row, seat]);
  const code = (await tickets.getByRole('img', { name: /^QR code of ticket / }).getAttribute('aria-label'))!;
  expect(code.replace('QR code of ticket ', '')).toMatch(TICKET_CODE);
  expect(await page.getByTestId('ticket').innerText()).toContain(code.replace('QR code of ticket ', ''));
}

/** Presses Tab until something has the focus, as somebody without a mouse does. */
async function tabTo({ page }: Visitor, role: 'link' | 'button', name: string | RegExp): Promise<void> {
  const wanted = page.getByRole(role, { name });
  await wanted.first().waitFor();
  for (let pressed = 0; pressed < 80; pressed++) {
    if ((await wanted.and(page.locator(':focus')).count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab never reaches ${String(name)}`);
}

/** Nothing on a phone's page is wider than the phone. */
async function expectNoSidewaysScroll({ page }: Visitor): Promise<void> {
  expect(await page.evaluate<number>(sidewaysPx)).toBe(0);
}

describe('a purchase from the list to the ticket', () => {
  it('by mouse: through the queue, over the map, to a ticket that is kept', async () => {
    const inside = await stand.rival(THEATRE);
    const before = await stand.rivalWaiting(THEATRE);
    const buyer = await stand.visitor();
    await buyer.goTo('/');
    await buyer.page.getByRole('link', { name: THEATRE }).waitFor();
    await buyer.look('list');
    await buyer.page.getByRole('link', { name: THEATRE }).click();
    await buyer.button('Choose seats').waitFor();
    await buyer.look('entry');
    await buyer.button('Choose seats').click();
    await buyer.reach('queue');
    await buyer.look('queue');
    const position = buyer.page.getByTestId('queue-position');
    await expect.poll(() => position.innerText()).toBe('2');
    await inside.client.leave();
    await before.admitted();
    await expect.poll(() => position.innerText(), { timeout: 10_000 }).toBe('1');
    await before.client.leave();
    await buyer.reach('choose');

    await openSectionOnMap(buyer, (x, y) => buyer.page.mouse.click(x, y));
    await buyer.look('map');
    const seat = await findSeat(buyer);
    await buyer.page.mouse.click(seat.x, seat.y);
    await buyer.cart.getByText(seat.name, { exact: true }).waitFor();
    expect(await buyer.secondsLeft()).toBeGreaterThan(280);
    await buyer.checkOut();
    await buyer.look('checkout');
    await buyer.pay();
    await buyer.reach('confirmed');
    await expectTicket(buyer, seat);
    await buyer.look('tickets');

    await buyer.page.getByRole('navigation').getByRole('link', { name: 'My tickets' }).click();
    await buyer.page.getByRole('heading', { name: 'My tickets' }).waitFor();
    await expectTicket(buyer, seat);
    await buyer.look('my tickets');
  });

  it('by keyboard only: every step is reached with Tab and arrows', async () => {
    const buyer = await stand.visitor();
    const { keyboard } = buyer.page;
    await buyer.goTo('/');
    await tabTo(buyer, 'link', KEYS);
    await keyboard.press('Enter');
    await tabTo(buyer, 'button', 'Choose seats');
    await keyboard.press('Enter');
    await buyer.reach('choose');
    await tabTo(buyer, 'button', 'List');
    await keyboard.press('Space');
    await tabTo(buyer, 'button', /^North/);
    await keyboard.press('Enter');
    await tabTo(buyer, 'button', /^Row A seat 1,/);
    await keyboard.press('ArrowRight');
    await keyboard.press('ArrowRight');
    await keyboard.press('Enter');
    await buyer.page.getByRole('button', { name: /^Row A seat 3,.*yours$/ }).waitFor();
    await tabTo(buyer, 'button', 'Check out');
    await keyboard.press('Enter');
    await buyer.reach('checkout');
    await tabTo(buyer, 'button', /^Pay /);
    await keyboard.press('Enter');
    await buyer.reach('confirmed');
    await expectTicket(buyer, { section: 'North', name: 'Row A, seat 3' });
  });

  it('by touch on a phone: pinch, tap, pay, and nothing is wider than the screen', async () => {
    const buyer = await stand.visitor({ device: PHONE });
    const { touchscreen } = buyer.page;
    await buyer.goTo('/');
    await expectNoSidewaysScroll(buyer);
    await buyer.page.getByRole('link', { name: POCKET }).waitFor();
    await buyer.look('list');
    await buyer.page.getByRole('link', { name: POCKET }).tap();
    await buyer.button('Choose seats').waitFor();
    await expectNoSidewaysScroll(buyer);
    await buyer.look('entry');
    await buyer.button('Choose seats').tap();
    await buyer.reach('choose');
    await expectNoSidewaysScroll(buyer);

    const level = () => buyer.page.locator('.map').getAttribute('data-level');
    await openSectionOnMap(buyer, (x, y) => touchscreen.tap(x, y));
    await buyer.button('Show the whole venue').tap();
    await expect.poll(level).toBe('sections');
    await pinchOut(buyer);
    await expect.poll(level).not.toBe('sections');
    await buyer.button('Show the whole venue').tap();
    await expect.poll(level).toBe('sections');
    await openSectionOnMap(buyer, (x, y) => touchscreen.tap(x, y));
    await buyer.look('map');
    const seat = await findSeat(buyer);
    await touchscreen.tap(seat.x, seat.y);
    await buyer.button('Check out').tap();
    await buyer.reach('checkout');
    await expectNoSidewaysScroll(buyer);
    await buyer.look('checkout');
    await buyer.button(/^Pay /).tap();
    await buyer.reach('confirmed');
    await expectTicket(buyer, seat);
    await expectNoSidewaysScroll(buyer);
    await buyer.look('tickets');
    await buyer.goTo('/tickets');
    await buyer.tickets.waitFor();
    await buyer.look('my tickets');
  });
});

/** Two fingers that move apart over the middle of the map. */
async function pinchOut(visitor: Visitor): Promise<void> {
  const box = (await visitor.map.boundingBox())!;
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const session = await visitor.context.newCDPSession(visitor.page);
  const fingers = (apart: number) => [
    { x: x - apart, y, id: 1 },
    { x: x + apart, y, id: 2 },
  ];
  const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', apart: number | null) =>
    session.send('Input.dispatchTouchEvent', { type, touchPoints: apart === null ? [] : fingers(apart) });
  await touch('touchStart', 20);
  for (let apart = 30; apart <= 160; apart += 10) await touch('touchMove', apart);
  await touch('touchEnd', null);
  await session.detach();
}
