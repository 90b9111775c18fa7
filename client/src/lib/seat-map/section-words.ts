import type { SectionSummary } from '@stampede/shared/seat-map/section-summary.ts';
import type { Locale } from '#lib/i18n/locale.svelte.ts';
import type { Sale } from '#lib/sale/sale.svelte.ts';
import type { SectionWords } from './section-labels.ts';

/** How many seats of a section are free, and what they cost at least. */
export function summaryWords({ free, cheapest }: SectionSummary, sale: Sale, locale: Locale): SectionWords {
  const price = cheapest === null ? null : locale.money(sale.priceOfLevel(cheapest), sale.show.currency);
  return {
    free: locale.t.choose.sectionFree(free, locale.number(free)),
    from: price === null ? '' : locale.t.shows.from(price),
  };
}
