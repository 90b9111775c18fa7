import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ko } from '../../../client/src/lib/i18n/ko.ts';
import { coloursSettle } from './stand/in-page.ts';
import { openSectionOnMap } from './stand/seat-map-hand.ts';
import { Stand } from './stand/stand.ts';
import { PHONE, type Visitor } from './stand/visitor.ts';

const OPEN = 'For All to See';
const QUEUED = { desktop: 'Behind Somebody', phone: 'Behind Somebody Else' };
const COMING = 'Some Other Day';
const LOBBY = 'Any Minute Now';
const GONE = 'Too Late';
const UNLUCKY = 'Bad Luck';
const HOUR_MS = 3_600_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let stand: Stand;
let unlucky: Stand;
beforeAll(async () => {
  [stand, unlucky] = await Promise.all([
    Stand.open([
      { title: OPEN, venue: 'gaivotas-hall' },
      { title: QUEUED.desktop, terms: { admittedMax: 1 } },
      { title: QUEUED.phone, terms: { admittedMax: 1 } },
      { title: COMING, lobbyInMs: HOUR_MS, opensInMs: 2 * HOUR_MS },
      { title: LOBBY, opensInMs: HOUR_MS },
      { title: GONE, terms: { seatsPerBuyer: 24 } },
    ]),
    Stand.open([{ title: UNLUCKY }], { PAYMENT_SUCCESS_RATE: '0' }),
  ]);
  const everything = Array.from(stand.office.show(GONE).map.x.keys());
  await (await stand.rival(GONE)).buy(...everything);
});
afterEach(async () => {
  await stand.clear();
  await unlucky.clear();
});
afterAll(async () => {
  await stand.close();
  await unlucky.close();
});

const idOf = (title: string): number => stand.office.show(title).id;

/** What axe finds serious on a page, by rule, with the elements. Injected past the page's security policy. */
async function seriousFindings({ page }: Visitor): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  await session.send('Runtime.evaluate', { expression: AXE });
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, {
      resultTypes: ['violations'], rules: { 'label-content-name-mismatch': { enabled: true } },
    })`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  // The result of axe's own documented function.
  const { violations } = result.value as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`));
}

/** Looks at places as they stand, in light and in dark, and tells all findings together. */
class Inspection {
  readonly #findings = new Map<string, string[]>();

  async look(visitor: Visitor, place: string): Promise<void> {
    for (const colorScheme of ['light', 'dark'] as const) {
      await visitor.page.emulateMedia({ colorScheme });
      await visitor.page.evaluate(coloursSettle);
      for (const finding of await seriousFindings(visitor)) {
        this.#findings.set(finding, [...(this.#findings.get(finding) ?? []), `${place} (${colorScheme})`]);
      }
    }
  }

  expectNothing(): void {
    expect(Object.fromEntries(this.#findings)).toEqual({});
  }
}

describe.each([
  ['desktop', {}],
  ['phone', { device: PHONE }],
] as const)('axe finds nothing serious on a %s, light or dark', (device, options) => {
  it('before the sale: list, countdown, lobby, queue', async () => {
    const inspection = new Inspection();
    const visitor = await stand.visitor(options);
    await visitor.goTo('/');
    await visitor.page.getByRole('link', { name: OPEN }).waitFor();
    await inspection.look(visitor, 'list');
    await visitor.goTo(`/shows/${idOf(COMING)}`);
    await visitor.reach('countdown');
    await inspection.look(visitor, 'countdown');
    await visitor.goTo(`/shows/${idOf(LOBBY)}`);
    await visitor.reach('entry');
    await inspection.look(visitor, 'entry');
    await visitor.button('Join the waiting room').click();
    await visitor.reach('lobby');
    await inspection.look(visitor, 'lobby');
    const inside = await stand.rival(QUEUED[device]);
    await visitor.goTo(`/shows/${idOf(QUEUED[device])}`);
    await visitor.button('Choose seats').click();
    await visitor.reach('queue');
    await inspection.look(visitor, 'queue');
    await visitor.button('Leave the queue').click();
    await visitor.page.getByRole('dialog').waitFor();
    await inspection.look(visitor, 'leaving the queue');
    inside.stop();
    inspection.expectNothing();
  });

  it('choosing and paying: map, sections, seats, cart, checkout, tickets', async () => {
    const inspection = new Inspection();
    const visitor = await stand.visitor(options);
    await visitor.enterSale(idOf(OPEN));
    await openSectionOnMap(visitor, (x, y) => visitor.page.mouse.click(x, y));
    await inspection.look(visitor, 'map');
    await visitor.button(/^List$/).click();
    await inspection.look(visitor, 'sections');
    await visitor.openSection('North');
    await visitor.page.locator('[data-status="free"]').first().click();
    await visitor.countdown.waitFor();
    await inspection.look(visitor, 'seats and cart');
    await visitor.checkOut();
    await inspection.look(visitor, 'checkout');
    await visitor.pay();
    await visitor.reach('confirmed');
    await inspection.look(visitor, 'tickets');
    await visitor.goTo('/tickets');
    await visitor.tickets.first().waitFor();
    await inspection.look(visitor, 'my tickets');
    inspection.expectNothing();
  });

  it('in Korean: list, seats and cart are called what is written on them', async () => {
    const inspection = new Inspection();
    const visitor = await stand.visitor({ ...options, locale: 'ko-KR' });
    await visitor.goTo('/');
    await visitor.page.getByRole('link', { name: OPEN }).waitFor();
    await inspection.look(visitor, 'list');
    await visitor.goTo(`/shows/${idOf(OPEN)}`);
    await visitor.button(ko.entry.choose).click();
    await visitor.reach('choose');
    await visitor.button(ko.choose.list).click();
    await inspection.look(visitor, 'sections');
    await visitor.button(/^South/).click();
    await visitor.page.locator('[data-status="free"]').first().click();
    await visitor.countdown.waitFor();
    await inspection.look(visitor, 'seats and cart');
    inspection.expectNothing();
  });

  it('bad news: declined, sold out, nothing there', async () => {
    const inspection = new Inspection();
    const payer = await unlucky.visitor(options);
    await payer.enterSale(unlucky.office.show(UNLUCKY).id);
    await payer.openSection('Left');
    await payer.page.locator('[data-status="free"]').first().click();
    await payer.checkOut();
    await payer.pay();
    await payer.page.getByRole('alert').waitFor();
    await inspection.look(payer, 'declined');

    const visitor = await stand.visitor(options);
    await visitor.goTo(`/shows/${idOf(GONE)}`);
    await visitor.reach('sold-out');
    await inspection.look(visitor, 'sold out');
    await visitor.goTo('/shows/4711');
    await visitor.page.getByRole('heading', { name: 'There is nothing here' }).waitFor();
    await inspection.look(visitor, 'nothing there');
    visitor.expectTrouble(/404/);
    inspection.expectNothing();
  });
});
