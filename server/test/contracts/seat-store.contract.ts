import { afterAll, beforeAll, describe } from 'vitest';
import { describeAskingAtOnce } from './seating/asking-at-once-rules.ts';
import { describeCheckout } from './seating/checkout-rules.ts';
import { describeHandingOver } from './seating/handing-over-rules.ts';
import { describeHoarding } from './seating/hoarding-rules.ts';
import { describeHoldLifetime } from './seating/hold-lifetime-rules.ts';
import { describeHolding, describeRivals } from './seating/holding-rules.ts';
import { describeMending } from './seating/mending-rules.ts';
import { describeOpening } from './seating/opening-rules.ts';
import { describeRandomSales } from './seating/random-sales.ts';
import { type OpenStand, SeatStand, type SeatStoreFixture } from './seating/seat-stand.ts';
import { describeSettlement } from './seating/settlement-rules.ts';
import { describeTelling } from './seating/telling-rules.ts';
import { describeTexts } from './seating/text-rules.ts';

const RANDOM_SALES = 150;

/**
 * What every seat store promises, whatever it stands on (`seat-store.ts` says it in words). Each rule has a show of
 * its own and states the time itself, so nothing waits and nothing is shared but the store. `randomSales`: how many
 * are tried in a run of the suite; each is hundreds of steps.
 */
export function describeSeatStore(
  name: string,
  makeFixture: () => Promise<SeatStoreFixture>,
  { randomSales = RANDOM_SALES } = {},
): void {
  describe(`seat store: ${name}`, () => {
    let fixture: SeatStoreFixture;
    beforeAll(async () => {
      fixture = await makeFixture();
    });
    afterAll(() => fixture.close());

    const open: OpenStand = (setting) => SeatStand.open(fixture, setting);
    describeHolding(open);
    describeRivals(open);
    describeHoldLifetime(open);
    describeHoarding(open);
    describeCheckout(open);
    describeHandingOver(open);
    describeAskingAtOnce(open);
    describeSettlement(open);
    describeOpening(open);
    describeMending(open);
    describeTelling(open);
    describeTexts(open);
    describeRandomSales(open, randomSales);
  });
}
