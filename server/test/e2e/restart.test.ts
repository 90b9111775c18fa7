import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Stand } from './stand/stand.ts';
import type { Visitor } from './stand/visitor.ts';

const SHOW = 'The Power Cut';
/** Long enough to be killed in the middle of a payment. */
const PAYMENT_MS = '1500';

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([{ title: SHOW }], {
    PAYMENT_DELAY_MIN_MS: PAYMENT_MS,
    PAYMENT_DELAY_MAX_MS: PAYMENT_MS,
  });
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

const bannerIs = ({ page }: Visitor, state: 'open' | 'reconnecting') =>
  page.locator(`[data-testid="connection-banner"][data-state="${state}"]`).waitFor({ state: 'attached' });

describe('a server that is killed and started again', () => {
  it('[P2][P4] keeps tickets and the payment under way; both browsers come back by themselves', async () => {
    const { id } = stand.office.show(SHOW);
    const [owner, payer] = await Promise.all([stand.visitor(), stand.visitor()]);
    for (const [visitor, seat] of [
      [owner, 0],
      [payer, 1],
    ] as const) {
      await visitor.enterSale(id);
      await visitor.openSection('Left');
      await visitor.take(seat);
      await visitor.checkOut();
    }
    await owner.pay();
    await owner.reach('confirmed');
    const ticket = await owner.tickets.innerText();
    await payer.pay();
    await payer.page.locator('[data-step="processing"]', { hasText: 'Order' }).waitFor();

    await stand.office.server.kill();
    for (const visitor of [owner, payer]) {
      await bannerIs(visitor, 'reconnecting');
      await visitor.page.getByText('Connection lost.').waitFor();
      expect(await visitor.banner.innerText()).toContain('kept');
    }
    await stand.office.server.start();
    await Promise.all([bannerIs(owner, 'open'), bannerIs(payer, 'open')]);
    await payer.reach('confirmed');
    expect(await payer.tickets.count()).toBe(1);
    expect(await payer.banner.innerText()).toBe('');
    for (const visitor of [owner, payer]) visitor.expectTrouble(/WebSocket connection to .* failed/);

    await owner.goTo('/tickets');
    await owner.tickets.waitFor();
    expect(await owner.tickets.innerText()).toBe(ticket);
    const newcomer = await stand.visitor();
    await newcomer.enterSale(id);
    await newcomer.openSection('Left');
    await Promise.all([newcomer.seat(0, 'sold').waitFor(), newcomer.seat(1, 'sold').waitFor()]);
    expect(await newcomer.page.locator('[data-status="free"]').count()).toBe(10);
  });
});
