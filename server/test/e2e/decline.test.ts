import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { CHECKOUTS_PER_HOLD_MAX } from '@stampede/shared/protocol/limits.ts';
import { countDeclines, declinesCounted } from './stand/in-page.ts';
import { Stand } from './stand/stand.ts';
import { DESKTOP, PHONE, type Visitor } from './stand/visitor.ts';

const UNLUCKY = 'The Unlucky Card';
/** A purchase that is granted at once shows nothing here, so there have to be seats for some of them. */
const SEATS_PER_BUYER = 12;

let stand: Stand;
beforeAll(async () => {
  const terms = { seatsPerBuyer: SEATS_PER_BUYER };
  // The simulated bank decides by the order's id, which nobody can choose: some are declined, some granted.
  stand = await Stand.open([{ title: UNLUCKY, terms }], { PAYMENT_SUCCESS_RATE: '0.3' });
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

/** Pays, and waits for what becomes of it. */
async function payOnce(buyer: Visitor): Promise<'declined' | 'confirmed'> {
  const { page } = buyer;
  const earlier = await declinedOrders(buyer);
  await buyer.button(/^(Pay|Try again)/).click();
  const outcome = async () =>
    (await page.locator('[data-step="confirmed"]').count()) > 0
      ? 'confirmed'
      : (await declinedOrders(buyer)) > earlier
        ? 'declined'
        : null;
  await expect.poll(outcome, { timeout: 15_000 }).not.toBeNull();
  return (await outcome())!;
}

/** How often the page has told of a decline, which no single state of it shows. */
function declinedOrders({ page }: Visitor): Promise<number> {
  return page.evaluate<number>(declinesCounted);
}

describe('a payment that the bank turns down', () => {
  it('[P2] gives the hold back with the time it had, says why, and a later try succeeds', async () => {
    const buyer = await stand.visitor();
    await buyer.enterSale(stand.office.show(UNLUCKY).id);
    await buyer.page.evaluate(countDeclines);
    let seat = 0;
    for (; ; seat++) {
      await buyer.openSection('Left');
      await buyer.take(seat);
      const [before, at] = [await buyer.secondsLeft(), Date.now()];
      await buyer.checkOut();
      if ((await payOnce(buyer)) === 'confirmed') {
        await buyer.button(/^Buy more/).click();
        await buyer.reach('choose');
        continue;
      }
      const alert = buyer.page.getByRole('alert');
      expect(await alert.innerText()).toMatch(/The payment was declined[^]*You have not been charged/);
      // Each reason the bank gives has words of its own.
      expect(await alert.innerText()).not.toContain('gave no other reason');
      const expected = before - (Date.now() - at) / 1_000;
      expect(Math.abs((await buyer.secondsLeft()) - expected)).toBeLessThanOrEqual(2);
      await buyer.look('declined');
      await buyer.page.setViewportSize(PHONE.viewport);
      await buyer.look('declined, narrow');
      await buyer.page.setViewportSize(DESKTOP.viewport);
      break;
    }
    for (let payments = 2; (await payOnce(buyer)) === 'declined'; payments++) {
      if (payments < CHECKOUTS_PER_HOLD_MAX) continue;
      // So unlucky that this hold takes no further payment: as the page advises, back with it, and once more.
      await buyer.button('Change seats').click();
      await buyer.button(/^Give back/).click();
      await buyer.openSection('Left');
      // What was given back cools down for who gave it.
      await buyer.take((seat += 1));
      await buyer.checkOut();
      payments = 0;
    }
    await buyer.tickets.waitFor();

    await buyer.goTo('/tickets');
    await buyer.tickets.first().waitFor();
    await buyer.page.getByRole('heading', { name: 'Other orders' }).waitFor();
    await buyer.page.getByText('Declined').first().waitFor();
  });
});
