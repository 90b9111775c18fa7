import { describe, expect, it } from 'vitest';
import { demoShows } from './demo-shows.ts';
import { loadVenueLayout } from './venue-layout-file.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NOW = Date.UTC(2031, 4, 6, 13, 37);

const showAt = (venue: string) => demoShows(NOW).find((show) => show.venue === venue)!;

describe('demoShows', () => {
  it('has a sale that is open, one in its lobby, one scheduled and one open for a rush', () => {
    expect(showAt('lindenhof-theatre').sale.opensAt).toBeLessThanOrEqual(NOW);
    expect(showAt('haneul-arena').sale).toMatchObject({ lobbyAt: NOW, opensAt: NOW + 2 * MINUTE_MS });
    expect(showAt('loomfield-stadium').sale.lobbyAt).toBeGreaterThan(NOW + 2 * DAY_MS);
    expect(showAt('loomfield-stadium').sale.lobbyAt).toBeLessThan(NOW + 4 * DAY_MS);
    expect(showAt('gaivotas-hall').sale.opensAt).toBeLessThanOrEqual(NOW);
    expect(showAt('gaivotas-hall').sale.admissionsPerSecond).toBe(500);
  });

  it.each(demoShows(NOW).map((show) => [show.venue, show] as const))(
    '%s has a price for each level of its layout, from the dearest to the cheapest',
    async (venue, { prices }) => {
      const layout = await loadVenueLayout(new URL(`venues/${venue}.json`, import.meta.url));
      expect(prices).toHaveLength(layout.priceLevels.length);
      expect(prices).toEqual(prices.toSorted((a, b) => b - a));
      expect(prices.every((price) => Number.isSafeInteger(price) && price > 0)).toBe(true);
    },
  );

  it.each(demoShows(NOW).map(({ venue }) => venue))(
    '%s starts in the evening of its city, all the year',
    async (venue) => {
      const { timeZone } = await loadVenueLayout(new URL(`venues/${venue}.json`, import.meta.url));
      const clock = new Intl.DateTimeFormat('en-GB', {
        hour: '2-digit',
        minute: '2-digit',
        timeZone: timeZone!,
      });
      for (let days = 0; days < 365; days += 7) {
        const show = demoShows(NOW + days * DAY_MS).find((one) => one.venue === venue)!;
        const start = clock.format(show.startsAt);
        expect(start >= '19:00' && start <= '21:00', `${start} after ${days} days`).toBe(true);
      }
    },
  );

  it.each([0, NOW, NOW - (NOW % DAY_MS), NOW - (NOW % DAY_MS) - 1])(
    'keeps lobby, opening, closing and start in order at %d',
    (now) => {
      for (const { sale, startsAt } of demoShows(now)) {
        const instants = [sale.lobbyAt, sale.opensAt, sale.closesAt, startsAt];
        expect(instants).toEqual(instants.toSorted((a, b) => a - b));
        expect(sale.closesAt).toBeGreaterThan(now + DAY_MS);
      }
    },
  );
});
