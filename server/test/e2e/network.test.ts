import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TcpSwitch } from '../integration/stack/tcp-switch.ts';
import { Stand } from './stand/stand.ts';
import type { Visitor } from './stand/visitor.ts';

const SILENCE = 'The Long Pause';
const TUNNEL = 'Through the Tunnel';

let stand: Stand;
let network: TcpSwitch;
beforeAll(async () => {
  stand = await Stand.open([{ title: SILENCE }, { title: TUNNEL }]);
  network = await TcpSwitch.open(() => [Number(new URL(stand.office.server.url).port)]);
});
afterEach(() => stand.clear());
afterAll(async () => {
  network.close();
  await stand.close();
});

const bannerSays = ({ page }: Visitor, state: 'open' | 'silent') =>
  page.locator(`[data-testid="connection-banner"][data-state="${state}"]`).waitFor({ state: 'attached' });

/** Somebody choosing seats over the network that may fall silent. */
async function choosing(title: string): Promise<Visitor> {
  const buyer = await stand.visitor({ origin: `http://localhost:${network.port}` });
  await buyer.enterSale(stand.office.show(title).id);
  await buyer.openSection('Left');
  await buyer.seat(0, 'free').waitFor();
  return buyer;
}

describe('a network that is gone without a word', () => {
  it('8.5 the map says that it may be old, on the same socket is live again, and shows what was missed', async () => {
    const buyer = await choosing(SILENCE);
    network.fallSilent();
    await bannerSays(buyer, 'silent');
    await buyer.page.getByText('what you see may be old').waitFor();
    const rival = await stand.rival(SILENCE);
    await rival.holds([0]);
    network.speakAgain();
    await bannerSays(buyer, 'open');
    expect(await buyer.banner.innerText()).toBe('');
    await buyer.seat(0, 'held').waitFor();
  });

  it('8.7 a browser that says so leads to another socket, as soon as there is a way', async () => {
    const buyer = await choosing(TUNNEL);
    network.fallSilent();
    await buyer.context.setOffline(true);
    await buyer.page.getByText('You are offline.').waitFor();
    network.speakAgain();
    await buyer.context.setOffline(false);
    await bannerSays(buyer, 'open');
    await buyer.take(1);
    buyer.expectTrouble(/ERR_INTERNET_DISCONNECTED/);
  });
});
