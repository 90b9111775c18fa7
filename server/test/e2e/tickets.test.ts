import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Stand } from './stand/stand.ts';
import type { Visitor } from './stand/visitor.ts';

const OFFLINE = 'Far from Any Mast';
const RECOVERY = 'Two Pockets';
const CALENDAR = 'Mark the Day';

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([{ title: OFFLINE }, { title: CALENDAR }, { title: RECOVERY }]);
});
afterEach(() => stand.clear());
afterAll(() => stand.close(/recovery-unknown/));

/** Buys the first seat. */
async function buy(buyer: Visitor, title: string): Promise<void> {
  await buyer.enterSale(stand.office.show(title).id);
  await buyer.openSection('Left');
  await buyer.take(0);
  await buyer.checkOut();
  await buyer.pay();
  await buyer.reach('confirmed');
  await buyer.tickets.getByRole('img').waitFor();
}

describe('tickets after the purchase', () => {
  it('are shown without a network, with their QR code, from the moment of buying', async () => {
    const buyer = await stand.visitor();
    await buyer.goTo('/');
    await buy(buyer, OFFLINE);
    const ticket = await buyer.tickets.innerText();
    const code = await buyer.tickets.getByRole('img').getAttribute('aria-label');
    await buyer.page.evaluate('navigator.serviceWorker.ready.then(() => null)');

    await buyer.context.setOffline(true);
    await buyer.goTo('/tickets');
    await buyer.page.getByText('These are the tickets kept in this browser.').waitFor();
    await buyer.tickets.getByRole('img').waitFor();
    expect(await buyer.tickets.getByRole('img').getAttribute('aria-label')).toBe(code);
    expect(await buyer.tickets.innerText()).toBe(ticket);
    await buyer.page.reload();
    await buyer.tickets.getByRole('img').waitFor();

    await buyer.context.setOffline(false);
    await buyer.page.getByText('kept in this browser').waitFor({ state: 'detached' });
    expect(await buyer.tickets.innerText()).toBe(ticket);

    // What is live needs a network, and never comes from what is kept.
    await buyer.context.setOffline(true);
    const show = buyer.goTo(`/shows/${stand.office.show(OFFLINE).id}`);
    await expect(show).rejects.toThrow(/ERR_INTERNET_DISCONNECTED/);
    buyer.expectTrouble(/ERR_INTERNET_DISCONNECTED/);
  });

  it('outlive the session: who comes back without its cookie has them still', async () => {
    const buyer = await stand.visitor();
    await buyer.goTo('/tickets');
    await buyer.page.getByRole('heading', { name: 'No tickets here yet' }).waitFor();
    await buy(buyer, CALENDAR);
    const ticket = await buyer.tickets.innerText();
    await buyer.context.clearCookies();
    await buyer.goTo('/tickets');
    await buyer.tickets.waitFor();
    expect(await buyer.tickets.innerText()).toBe(ticket);

    const [download] = await Promise.all([
      buyer.page.waitForEvent('download'),
      buyer.button('Add to calendar').click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${CALENDAR}.ics`);
    const text = readFileSync(await download.path(), 'utf8');
    expect(text).toMatch(/\r\nDTSTART;TZID=Europe\/Vienna:\d{8}T\d{6}\r\n/);
    expect(text).toContain('Left\\, Row A\\, seat 1');
  });

  it('10.7 come to another browser by their recovery code, which a link only fills in', async () => {
    const buyer = await stand.visitor();
    await buy(buyer, RECOVERY);
    const code = await buyer.page.getByTestId('recovery-code').innerText();
    const ticket = await buyer.tickets.innerText();

    const other = await stand.visitor();
    await other.goTo(`/tickets#recover=${code}`);
    const field = other.page.getByRole('textbox', { name: 'Recovery code' });
    await expect.poll(() => field.inputValue()).toBe(code);
    expect(other.page.url()).not.toContain(code);
    expect(await other.tickets.count()).toBe(0);

    await field.fill('0000-0000-0000-0000');
    await other.button('Bring my tickets here').click();
    await other.page.getByText('This code is not one of ours.').waitFor();
    await field.fill(code.toLowerCase().replaceAll('-', ' '));
    await other.button('Bring my tickets here').click();
    await other.tickets.waitFor();
    expect(await other.tickets.innerText()).toBe(ticket);
    await expect.poll(() => other.page.getByTestId('recovery-code').innerText()).toBe(code);
    other.expectTrouble(/404/);
  });
});
