import type { ShowId } from '../../../src/platform/ids.ts';
import { defineScript } from '../../../src/platform/lua-script.ts';
import { keysOfShow } from '../../../src/platform/redis-keys.ts';
import { numberOf, type Packed } from '../../../src/platform/redis-packing.ts';
import type { RedisClient } from '../../../src/platform/redis.ts';
import type { FeedEntry, Notice } from '../../../src/seating/show-feed.ts';
import { newEpoch } from './seat-stand.ts';

const beginFeed = defineScript<
  [epoch: number, sectionCount: number, statuses: Uint8Array, sections: Uint8Array]
>()({
  file: new URL('begin-feed.lua', import.meta.url),
  keys: ['meta', 'seats', 'feed', 'checkpoint', 'sections'],
  reply: numberOf,
});

const writeEntry = defineScript<[elements: Packed]>()({
  file: new URL('write-entry.lua', import.meta.url),
  keys: ['meta', 'seats', 'feed'],
  reply: numberOf,
});

/** Begins a history, and says its epoch. */
export async function beginHistory(
  redis: RedisClient,
  show: ShowId,
  statuses: Uint8Array,
  sectionOf: Uint16Array,
  epoch = newEpoch(),
): Promise<number> {
  const sectionCount = Math.max(...sectionOf) + 1;
  const sections = new Uint8Array(sectionOf.buffer, sectionOf.byteOffset, sectionOf.byteLength);
  await beginFeed.run(redis, keysOfShow(show), epoch, sectionCount, statuses, sections);
  return epoch;
}

/** Writes what one step changed, as the scripts of the stores do. */
export async function publish(
  redis: RedisClient,
  show: ShowId,
  { changes, notice }: FeedEntry,
): Promise<void> {
  await writeElement(redis, show, changes, notice ? packedNotice(notice) : false);
}

/** The same, with a notice that this version doesn't know. */
export async function publishOfFuture(
  redis: RedisClient,
  show: ShowId,
  changes: FeedEntry['changes'],
): Promise<void> {
  await writeElement(redis, show, changes, ['seat-swap-offered', 'somebody', [1, 2]]);
}

async function writeElement(
  redis: RedisClient,
  show: ShowId,
  changes: FeedEntry['changes'],
  notice: Packed,
): Promise<void> {
  const flat = changes.flatMap(({ seat, status }) => [seat, status]);
  await writeEntry.run(redis, keysOfShow(show), [[flat, notice]]);
}

function packedNotice(notice: Notice): Packed {
  switch (notice.kind) {
    case 'hold': {
      const { holdToken, seats, amount, expiresAt, extensionsLeft } = notice.hold;
      const { orderId, begunAt, isAccepted, revision } = notice.hold;
      const payment = [orderId ?? false, begunAt, isAccepted];
      return [
        'hold',
        notice.session,
        [holdToken, seats, amount, expiresAt, extensionsLeft, ...payment, revision],
      ];
    }
    case 'hold-ended':
      return ['hold-ended', notice.session, notice.holdToken, notice.seats, notice.reason, notice.revision];
    case 'order':
      return ['order', notice.session, JSON.stringify(notice.order)];
    case 'admitted':
      return ['admitted', notice.admissions.flatMap(({ session, deadline }) => [session, deadline])];
    case 'outside':
      return ['outside', notice.session, notice.reason];
  }
}
