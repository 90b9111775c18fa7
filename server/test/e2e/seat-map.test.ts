import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { en } from '../../../client/src/lib/i18n/en.ts';
import { Stand } from './stand/stand.ts';

const OFFERS = 'Going, Going';
const ADVICE = /^Take the next best: Row A, seat (\d+)$/;

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([{ title: OFFERS, venue: 'gaivotas-hall' }]);
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
      await rival.hold(seat);
      await button.dispatchEvent('click');
      await expect
        .poll(async () => (await advice.count()) > 0 || (await buyer.seat(seat, 'held').count()) > 0)
        .toBe(true);
      if ((await advice.count()) === 0) await rival.release(seat);
    }
    const offered = Number(ADVICE.exec(await advice.innerText())![1]) - 1;
    await rival.hold(offered);
    await buyer.seat(offered, 'held').waitFor();
    await advice.waitFor({ state: 'detached', timeout: 2_000 });
    await buyer.page.getByText(en.notice.taken, { exact: true }).waitFor();
  });
});
