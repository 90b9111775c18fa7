import type { Page } from 'playwright-core';
import type { BoxOffice } from '../../test/e2e/stand/box-office.ts';
import { findSeat, openSectionOnMap } from '../../test/e2e/stand/seat-map-hand.ts';
import type { Visitor } from '../../test/e2e/stand/visitor.ts';
import type { Album } from './album.ts';

/** The shows of the demo that the walk visits. */
export const ALBUM_TITLES = {
  theatre: 'The Lighthouse That Moved House',
  arena: 'Seven Umbrellas',
  stadium: 'Inkwell Wanderers v Pennine Thistledown',
  hall: 'The Grand Pillow Fight',
} as const;

/** Until a queue of more than a thousand has moved. */
const ADMISSION_MS = 180_000;
const SEATS_TAKEN = 3;

/** One visitor's way through the demo. Each method leaves pictures of some steps. */
export class Walk {
  readonly #office: BoxOffice;
  readonly #visitor: Visitor;
  readonly #newcomer: () => Promise<Visitor>;
  readonly album: Album;
  readonly #isPhone: boolean;
  /** The tab that waits for the arena while the walk goes on elsewhere. */
  #arena: Visitor;

  constructor(
    office: BoxOffice,
    visitor: Visitor,
    newcomer: () => Promise<Visitor>,
    album: Album,
    isPhone: boolean,
  ) {
    this.#office = office;
    this.#visitor = visitor;
    this.#newcomer = newcomer;
    this.album = album;
    this.#isPhone = isPhone;
    this.#arena = visitor;
  }

  async beforeTheSale(): Promise<void> {
    const visitor = this.#visitor;
    const { page } = visitor;
    await visitor.goTo('/');
    await page.getByRole('link', { name: ALBUM_TITLES.arena }).waitFor();
    await this.album.take(page, '01-shows');
    await this.album.take(page, '01-shows', this.#isPhone ? { korean: true } : { dark: true });

    await visitor.goTo(this.#path(ALBUM_TITLES.stadium));
    await visitor.reach('countdown');
    await this.album.take(page, '02-countdown');

    this.#arena = await visitor.secondTab();
    await this.#arena.goTo(this.#path(ALBUM_TITLES.arena));
    await this.#arena.reach('entry');
    await this.album.take(this.#arena.page, '03-join');
    await this.#arena.button('Join the waiting room').click();
    await this.#arena.reach('lobby');
    await this.album.take(this.#arena.page, '04-lobby');
  }

  async tooLate(): Promise<void> {
    const visitor = this.#visitor;
    await visitor.goTo(this.#path(ALBUM_TITLES.hall));
    await visitor.reach('sold-out');
    await this.album.take(visitor.page, '15-sold-out');
    await visitor.goTo('/shows/4711');
    await visitor.page.getByRole('alert').waitFor();
    await this.album.take(visitor.page, '16-error');
  }

  async queue(): Promise<void> {
    const page = await this.#queuePage();
    await page.locator('.figure[data-testid="queue-position"]').waitFor();
    await this.album.take(page, '05-queue');
    await this.album.take(page, '05-queue', this.#isPhone ? { dark: true } : { korean: true });
  }

  /** The draw may let the visitor in at once; then a newcomer shows what waiting looks like. */
  async #queuePage(): Promise<Page> {
    const { page } = this.#arena;
    const step = page.locator('[data-step="queue"], [data-step="choose"]');
    await step.waitFor({ timeout: ADMISSION_MS });
    if ((await step.getAttribute('data-step')) === 'queue') return page;
    const newcomer = await this.#newcomer();
    await newcomer.goTo(this.#path(ALBUM_TITLES.arena));
    await newcomer.button('Choose seats').click();
    await newcomer.reach('queue');
    return newcomer.page;
  }

  async purchase(): Promise<void> {
    const visitor = this.#visitor;
    const { page } = visitor;
    await page.bringToFront();
    await visitor.enterSale(this.#office.show(ALBUM_TITLES.theatre).id);
    await page.locator('.map[data-ready="true"]').waitFor();
    await this.album.take(page, '06-seat-map');
    await openSectionOnMap(visitor, (x, y) => page.mouse.click(x, y));
    for (let taken = 0; taken < SEATS_TAKEN; taken++) {
      const seat = await findSeat(visitor);
      await page.mouse.click(seat.x, seat.y);
      await visitor.cart.getByText(seat.name, { exact: true }).waitFor({ state: 'attached' });
    }
    await page.mouse.move(0, 0);
    await this.album.take(page, '07-seats');
    await this.album.take(page, '07-seats', { dark: true });
    if (this.#isPhone) {
      await visitor.button('Show your seats').click();
      await this.album.take(page, '08-cart');
      await visitor.button('Hide your seats').click();
    }

    await visitor.button(/^List$/).click();
    await this.album.take(page, '09-sections');
    await visitor.openSection('Stalls Centre');
    await this.album.take(page, '10-seat-list');

    await visitor.checkOut();
    await this.album.take(page, '11-checkout');
    if (this.#isPhone) await this.album.take(page, '11-checkout', { korean: true });
    await visitor.pay();
    await visitor.reach('processing');
    await this.album.take(page, '12-processing');
    await visitor.reach('confirmed');
    await visitor.tickets.first().getByRole('img').waitFor();
    await this.album.take(page, '13-tickets');
    await visitor.goTo('/tickets');
    await visitor.tickets.first().getByRole('img').waitFor();
    await this.album.take(page, '14-my-tickets');
    if (!this.#isPhone) await this.album.take(page, '14-my-tickets', { dark: true });
  }

  async arena(): Promise<void> {
    const { page } = this.#arena;
    await page.bringToFront();
    await page.mouse.move(0, 0);
    await page.locator('[data-step="choose"]').waitFor({ timeout: ADMISSION_MS });
    await page.locator('.map[data-ready="true"]').waitFor();
    await this.album.take(page, '17-arena');
    if (!this.#isPhone) await this.album.take(page, '17-arena', { korean: true, dark: true });
  }

  #path(title: string): string {
    return `/shows/${this.#office.show(title).id}`;
  }
}
