import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Stand } from './stand/stand.ts';
import { PHONE } from './stand/visitor.ts';

const BACK = 'There and Back';
const LARGE = 'Twice the Letters';
const MORE = 'One More Each';
const TAKEN = 'Nothing Left';

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([
    { title: BACK },
    { title: LARGE },
    { title: MORE, terms: { seatsPerBuyer: 2 } },
    { title: TAKEN, terms: { seatsPerBuyer: 24 } },
  ]);
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

const idOf = (title: string): number => stand.office.show(title).id;

describe('the way through a sale', () => {
  it('an open sale where nobody waits: one press leads to the seats, past no queue', async () => {
    const buyer = await stand.visitor();
    await buyer.goTo(`/shows/${idOf(BACK)}`);
    await buyer.reach('entry');
    await buyer.page.evaluate(`window.steps = []; new MutationObserver(() => {
      const { step } = document.querySelector('[data-step]').dataset;
      if (window.steps.at(-1) !== step) window.steps.push(step);
    }).observe(document.body, { childList: true, subtree: true })`);
    await buyer.button('Choose seats').click();
    await buyer.reach('choose');
    expect(await buyer.page.evaluate('window.steps')).not.toContain('queue');
  });

  it('[P4] Back from checkout leads to the seats, forth to paying, and a reload stays', async () => {
    const buyer = await stand.visitor();
    const { page } = buyer;
    await buyer.goTo('/');
    await page.getByRole('link', { name: BACK }).click();
    await buyer.button('Choose seats').click();
    await buyer.button(/^List$/).click();
    await buyer.look('sections');
    await buyer.openSection('Left');
    await buyer.take(0);
    await buyer.look('seats and cart');
    await buyer.checkOut();
    await page.goBack();
    await buyer.reach('choose');
    await buyer.cart.getByText('Row A, seat 1', { exact: true }).waitFor();
    await page.goForward();
    await buyer.reach('checkout');
    await page.reload();
    await buyer.reach('checkout');
    await buyer.button('Change seats').click();
    await buyer.reach('choose');
    await page.goBack();
    await page.getByRole('heading', { name: 'Everyone at once.' }).waitFor();
  });

  it('buying more leads to the seats again, within the limit, and says why not beyond it', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(MORE));
    for (const seat of [0, 1]) {
      await buyer.openSection('Left');
      await buyer.take(seat);
      await buyer.checkOut();
      await buyer.pay();
      await buyer.reach('confirmed');
      if (seat === 0) await buyer.button('Buy more (up to 1)').click();
    }
    const whyNot = buyer.page.getByText('You have 2 seats for this show, as many as one person may buy.');
    await whyNot.waitFor();
    expect(await buyer.button(/^Buy more/).count()).toBe(0);
    await buyer.page.reload();
    await buyer.reach('confirmed');
    await whyNot.waitFor();
  });

  it('where no seat is free nobody is told to pick one, and a seat that comes back is pushed', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(TAKEN));
    await buyer.page.getByText('Pick a seat').waitFor();
    const rival = await stand.rival(TAKEN);
    const seats = Array.from(stand.office.show(TAKEN).map.x.keys());
    await rival.holds(seats);
    await buyer.page.getByText('No seat is free just now.').waitFor();
    expect(await buyer.page.getByText('Pick a seat').count()).toBe(0);
    await rival.releases([3]);
    await buyer.page.getByText('Pick a seat').waitFor();
    expect(await buyer.page.getByText('No seat is free just now.').count()).toBe(0);
    await rival.holds([3]);
    await rival.buys();
    await buyer.page.getByText('Every seat has been sold.').waitFor();
  });

  it('text twice as large fits a phone from the list to the ticket', async () => {
    const buyer = await stand.visitor({ device: PHONE });
    const { page } = buyer;
    await page.addInitScript(
      "addEventListener('DOMContentLoaded', () => (document.documentElement.style.fontSize = '200%'))",
    );
    const fits = async () =>
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(PHONE.viewport.width);
    await buyer.goTo('/');
    await page.getByRole('link', { name: LARGE }).waitFor();
    await fits();
    await buyer.goTo(`/shows/${idOf(LARGE)}`);
    await buyer.reach('entry');
    await fits();
    await buyer.button('Choose seats').click();
    await buyer.openSection('Left');
    await buyer.take(0);
    await fits();
    await buyer.checkOut();
    await fits();
    await buyer.pay();
    await buyer.reach('confirmed');
    await buyer.tickets.getByRole('img').waitFor();
    await fits();
    await buyer.goTo('/tickets');
    await buyer.tickets.getByRole('img').waitFor();
    await fits();
  });

  it('without scripts every page says that it needs them, in its own words', async () => {
    for (const path of ['/', '/tickets', `/shows/${idOf(BACK)}`]) {
      const page = await (await fetch(stand.office.server.url + path)).text();
      expect(page).toMatch(/<noscript>.*Stampede needs JavaScript.*JavaScript가 필요합니다.*<\/noscript>/s);
    }
  });
});
