import { afterAll, afterEach, beforeAll, describe, it } from 'vitest';
import { ko } from '../../../client/src/lib/i18n/ko.ts';
import { Stand } from './stand/stand.ts';
import { PHONE } from './stand/visitor.ts';

const OPEN = 'For All to See';
/** One for each device: whoever waited in the other still has a place there. */
const QUEUED = { desktop: 'Behind Somebody', phone: 'Behind Somebody Else' };
const COMING = 'Some Other Day';
const LOBBY = 'Any Minute Now';
const GONE = 'Too Late';
const HOUR_MS = 3_600_000;

let stand: Stand;
beforeAll(async () => {
  stand = await Stand.open([
    { title: OPEN, venue: 'gaivotas-hall' },
    { title: QUEUED.desktop, terms: { admittedMax: 1 } },
    { title: QUEUED.phone, terms: { admittedMax: 1 } },
    { title: COMING, lobbyInMs: HOUR_MS, opensInMs: 2 * HOUR_MS },
    { title: LOBBY, opensInMs: HOUR_MS },
    { title: GONE, terms: { seatsPerBuyer: 24 } },
  ]);
  const everything = Array.from(stand.office.show(GONE).map.x.keys());
  const rival = await stand.rival(GONE);
  await rival.holds(everything);
  await rival.buys();
});
afterEach(() => stand.clear());
afterAll(() => stand.close());

const idOf = (title: string): number => stand.office.show(title).id;

/** The journeys look at the places they pass; a visitor's findings fail the test when they go home. */
describe.each([
  ['desktop', {}],
  ['phone', { device: PHONE }],
] as const)('axe finds nothing serious on a %s, light or dark, where no journey leads', (device, options) => {
  it('countdown, lobby, leaving the queue, sold out, nothing there', async () => {
    const visitor = await stand.visitor(options);
    await visitor.goTo(`/shows/${idOf(COMING)}`);
    await visitor.reach('countdown');
    await visitor.look('countdown');
    await visitor.goTo(`/shows/${idOf(LOBBY)}`);
    await visitor.button('Join the waiting room').click();
    await visitor.reach('lobby');
    await visitor.look('lobby');
    const inside = await stand.rival(QUEUED[device]);
    await visitor.goTo(`/shows/${idOf(QUEUED[device])}`);
    await visitor.button('Choose seats').click();
    await visitor.reach('queue');
    await visitor.button('Leave the queue').click();
    await visitor.page.getByRole('dialog').waitFor();
    await visitor.look('leaving the queue');
    await inside.client.leave();
    await visitor.goTo(`/shows/${idOf(GONE)}`);
    await visitor.reach('sold-out');
    await visitor.look('sold out');
    await visitor.goTo('/shows/4711');
    await visitor.page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await visitor.look('nothing there');
    visitor.expectTrouble(/404/);
  });

  it('in Korean: list, seats and cart are called what is written on them', async () => {
    const visitor = await stand.visitor({ ...options, locale: 'ko-KR' });
    await visitor.goTo('/');
    await visitor.page.getByRole('link', { name: OPEN }).waitFor();
    await visitor.look('list');
    await visitor.goTo(`/shows/${idOf(OPEN)}`);
    await visitor.button(ko.entry.choose).click();
    await visitor.reach('choose');
    await visitor.button(ko.choose.list).click();
    await visitor.look('sections');
    await visitor.button(/^South/).click();
    await visitor.page.locator('[data-status="free"]').first().click();
    await visitor.countdown.waitFor();
    await visitor.look('seats and cart');
  });
});
