import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { en } from '../../../client/src/lib/i18n/en.ts';
import { ko } from '../../../client/src/lib/i18n/ko.ts';
import { languages } from '../../../client/src/lib/i18n/languages.ts';
import { momentOfClick, momentOfStatus } from './stand/in-page.ts';
import { findSeat, openSectionOnMap, tipAt } from './stand/seat-map-hand.ts';
import { Stand } from './stand/stand.ts';
import type { Visitor } from './stand/visitor.ts';

const TOGETHER = 'Side by Side';
const ON_MAP = 'Side by Side, from Above';
const FASTER = 'A Moment Faster';
const RELOAD = 'Where Was I';
const TABS = 'Two Windows';
const KOREAN = 'Spoken in Two Tongues';
const SEEN_WITHIN_MS = 1_000;
const ADVICE = /^Take the next best: /;

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([
    { title: TOGETHER },
    { title: ON_MAP },
    { title: FASTER, venue: 'gaivotas-hall' },
    { title: RELOAD },
    { title: TABS },
    { title: KOREAN },
  ]);
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

const idOf = (title: string): number => stand.office.show(title).id;

/** Milliseconds from a press in one browser until another shows what it did. */
async function seenAfterMs(
  presser: Visitor,
  watcher: Visitor,
  seat: number,
  status: 'held' | 'free',
): Promise<number> {
  const seen = watcher.page.evaluate<number>(momentOfStatus(seat, status));
  const pressed = presser.page.evaluate<number>(momentOfClick);
  await presser.seat(seat).click();
  return (await seen) - (await pressed);
}

describe('several browsers in one sale', () => {
  it('two browsers see each other take and give back seats within a second', async () => {
    const [ann, bob] = await Promise.all([stand.visitor(), stand.visitor()]);
    for (const visitor of [ann, bob]) {
      await visitor.enterSale(idOf(TOGETHER));
      await visitor.openSection('Left');
      await visitor.seat(0, 'free').waitFor();
    }
    expect(await seenAfterMs(ann, bob, 0, 'held')).toBeLessThan(SEEN_WITHIN_MS);
    expect(await seenAfterMs(bob, ann, 1, 'held')).toBeLessThan(SEEN_WITHIN_MS);
    expect(await seenAfterMs(ann, bob, 0, 'free')).toBeLessThan(SEEN_WITHIN_MS);
    await bob.checkOut();
    await bob.pay();
    await bob.reach('confirmed');
    await ann.seat(1, 'sold').waitFor();
  });

  it('the map shows what others do, and what is one’s own', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(ON_MAP));
    await openSectionOnMap(buyer, (x, y) => buyer.page.mouse.click(x, y));
    const rival = await stand.rival(ON_MAP);
    const { map } = stand.office.show(ON_MAP);
    await rival.holds([0, 1, 2, 3]);
    const held = await findSeat(buyer, 'held by someone');
    expect(held).toMatchObject({ section: map.sections[0]?.name });
    await rival.releases([0, 1, 2, 3]);
    const statusThere = async () => (await tipAt(buyer, held))?.status;
    await expect.poll(statusThere).toBe('available');
    await buyer.page.mouse.click(held.x, held.y);
    await expect.poll(statusThere).toBe('yours');
  });

  it('[P1] a seat that somebody was faster to take: a notice offers the next best, one press takes it', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(FASTER));
    await buyer.openSection('North');
    const rival = await stand.rival(FASTER);
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
    await buyer.page.getByText('Somebody was a moment faster.').waitFor();
    const offered = (await advice.innerText()).replace(ADVICE, '');
    await advice.click();
    await buyer.cart.getByText(offered, { exact: true }).waitFor();
  });

  it('[P4] a reload during a hold keeps the seats and the countdown', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(RELOAD));
    await buyer.openSection('Right');
    await buyer.take(12);
    await buyer.take(13);
    const lines = (await buyer.cart.getByRole('listitem').allInnerTexts()).sort();
    const [before, at] = [await buyer.secondsLeft(), Date.now()];
    await buyer.page.reload();
    await buyer.countdown.waitFor();
    const expected = before - (Date.now() - at) / 1_000;
    expect(Math.abs((await buyer.secondsLeft()) - expected)).toBeLessThanOrEqual(2);
    expect((await buyer.cart.getByRole('listitem').allInnerTexts()).sort()).toEqual(lines);
    expect(lines).toHaveLength(2);
  });

  it('[P4] a second tab shows the same hold, and what one tab does the other follows', async () => {
    const first = await stand.visitor();
    await first.enterSale(idOf(TABS));
    await first.openSection('Left');
    await first.take(2);
    const second = await first.secondTab();
    await second.goTo(`/shows/${idOf(TABS)}`);
    await second.cart.getByText('Row A, seat 3', { exact: true }).waitFor();
    expect(Math.abs((await second.secondsLeft()) - (await first.secondsLeft()))).toBeLessThanOrEqual(2);
    await second.openSection('Left');
    await second.take(3);
    await first.cart.getByText('Row A, seat 4', { exact: true }).waitFor();
    await first.button('Give back Row A, seat 3').click();
    await second.cart.getByText('Row A, seat 3', { exact: true }).waitFor({ state: 'detached' });
    await second.checkOut();
    await second.pay();
    await Promise.all([first.reach('confirmed'), second.reach('confirmed')]);
  });

  it('the language can be changed to Korean at any step and stays changed', async () => {
    const buyer = await stand.visitor();
    await buyer.goTo(`/shows/${idOf(KOREAN)}`);
    await buyer.button(en.entry.choose).waitFor();
    await buyer.button(languages.ko.name).click();
    await buyer.button(ko.entry.choose).click();
    await buyer.page.getByRole('heading', { name: ko.choose.title }).waitFor();
    expect(await buyer.page.locator('html').getAttribute('lang')).toBe('ko');
    await buyer.page.reload();
    await buyer.page.getByRole('heading', { name: ko.choose.title }).waitFor();
    const text = await buyer.page.locator('body').innerText();
    for (const english of [en.choose.title, en.cart.title, en.cart.empty, en.site.tickets, en.phase.open]) {
      expect(text).not.toContain(english);
    }
    await buyer.button(languages.en.name).click();
    await buyer.page.getByRole('heading', { name: en.choose.title }).waitFor();
  });
});
