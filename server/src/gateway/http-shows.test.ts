import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { expect, it } from 'vitest';
import { draftOf, layoutOf } from '../../test/integration/app-stand-show.ts';
import { showId } from '../platform/ids.ts';
import type { HttpExchange } from './http-exchange.ts';
import type { Representation } from './http-representation.ts';
import { type ShowDirectory, showReadings } from './http-shows.ts';

it('[P7] 11.3 a layout is made and compressed once, however many ask while it is being loaded', async () => {
  const show = { ...draftOf('Show', 'house', 0), id: showId(7), layout: layoutOf('house', [20]) };
  const { promise: loaded, resolve: load } = Promise.withResolvers<unknown>();
  const shows = { listed: () => ({ show }), show: () => loaded } as unknown as ShowDirectory;
  const layout = showReadings(shows, new ManualClock()).find(({ path }) => path.endsWith('/layout'));
  const told: Representation[] = [];
  const exchange = { parameter: '7', represent: (one: Representation) => void told.push(one) };
  const answers = [1, 2, 3].map(async () => layout?.answer(exchange as unknown as HttpExchange));
  load(show);
  await Promise.all(answers);
  expect([told.length, new Set(told).size]).toEqual([3, 1]);
});
