import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { en } from '../../../client/src/lib/i18n/en.ts';
import { Stand } from './stand/stand.ts';

const SHORT_HOLD = 'A Moment to Think';
const SHORT_TURN = 'A Quick Look';
const LATE_PAYER = 'Last in the Shop';
const ABROAD = 'Evening in Lisbon';
/** Long enough to take seats on a busy machine, short enough to be waited for. */
const SHORT_MS = 5_000;
const FIRST_SEATS = [0, 1] as const;

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([
    { title: SHORT_HOLD, terms: { holdLifetimeMs: SHORT_MS } },
    { title: SHORT_TURN, terms: { admissionLifetimeMs: SHORT_MS } },
    { title: LATE_PAYER, terms: { admissionLifetimeMs: SHORT_MS } },
    { title: ABROAD, venue: 'gaivotas-hall' },
  ]);
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

const idOf = (title: string): number => stand.office.show(title).id;

describe('time that runs out', () => {
  it('[P3] a hold that ran out: the seats are free again, and can be taken once more', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(SHORT_HOLD));
    await buyer.openSection('Left');
    // Taken in one order, named in another.
    for (const seat of FIRST_SEATS.toReversed()) await buyer.take(seat);
    await buyer.page.getByText(en.notice.holdExpired).waitFor();
    for (const seat of FIRST_SEATS) await buyer.seat(seat, 'free').waitFor();
    // At once, because this hold ran out as fast as people change their minds.
    for (const seat of FIRST_SEATS.toReversed()) await buyer.take(seat);
    const lines = await buyer.cart.getByRole('listitem').allInnerTexts();
    expect(lines.map((line) => line.split('\n')[0])).toEqual(['Row A, seat 1', 'Row A, seat 2']);
  });

  it('a hold that runs out at the checkout leads back to the seats', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(SHORT_HOLD));
    await buyer.openSection('Right');
    await buyer.take(12);
    await buyer.checkOut();
    await buyer.reach('choose');
    await buyer.page.getByText(en.notice.holdExpired).waitFor();
    await buyer.page.getByText(en.cart.empty).waitFor();
  });

  it('a turn that is over leads out of the sale, and whoever joins again has another', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(SHORT_TURN));
    await buyer.page.getByText(/^Your turn ends in 0:0\d$/).waitFor();
    await buyer.reach('entry');
    await buyer.page.getByRole('heading', { name: en.entry.title.expired }).waitFor();
    await buyer.button(en.entry.again).click();
    await buyer.reach('choose');
  });

  it('seats outlive the turn in which they were taken: no more can be had, these can be paid for', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(idOf(LATE_PAYER));
    await buyer.openSection('Left');
    await buyer.take(0);
    await buyer.page.getByText(en.choose.turnOver).waitFor();
    await buyer.seat(1, 'free').click();
    await buyer.page.getByText(en.notice.notAdmitted).waitFor();
    await buyer.checkOut();
    await buyer.pay();
    await buyer.reach('confirmed');
  });
});

describe('clocks', () => {
  it('tell when a show starts where it is played, and say so to who is elsewhere', async () => {
    const { id } = stand.office.show(ABROAD);
    const [local, traveller] = await Promise.all(
      ['Europe/Lisbon', 'Asia/Seoul'].map((timeZone) => stand.visitor({ timeZone })),
    );
    const told = await Promise.all(
      [local!, traveller!].map(async (visitor) => {
        await visitor.goTo(`/shows/${id}`);
        return (await visitor.page.locator('header time').innerText()).replace(/\s/g, ' ');
      }),
    );
    expect(told[0]).toMatch(/^\w{3},? \d+ \w{3,4} \d{4}, \d{1,2}:\d\d$/);
    expect(told[1]).toMatch(/ WES?T$/);
    expect(told[1]).toBe(`${told[0]} ${/WES?T$/.exec(told[1] ?? '')?.[0]}`);
  });
});
