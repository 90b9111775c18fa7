import type { ShowId } from '../../../src/platform/ids.ts';
import { defineScript } from '../../../src/platform/lua-script.ts';
import { keysOfShow } from '../../../src/platform/redis-keys.ts';
import { numberOf, type Packed } from '../../../src/platform/redis-packing.ts';
import type { RedisClient } from '../../../src/platform/redis.ts';
import type { FeedEntry, Hold, Notice } from '../../../src/feed/show-feed.ts';
import { newEpoch } from './seat-stand.ts';

const beginFeed = defineScript<[epoch: number, sectionCount: number, statuses: Uint8Array], number>(
  new URL('begin-feed.lua', import.meta.url),
  numberOf,
);

const writeEntry = defineScript<[changes: Packed, entry: Uint8Array], number>(
  new URL('write-entry.lua', import.meta.url),
  numberOf,
);

/** Begins a history, and says its epoch. */
export async function beginHistory(
  redis: RedisClient,
  show: ShowId,
  statuses: Uint8Array,
  sectionOf: Uint16Array,
  epoch = newEpoch(),
): Promise<number> {
  await beginFeed.run(redis, keysOfShow(show), epoch, Math.max(...sectionOf) + 1, statuses);
  return epoch;
}

/** Writes what one step changed, as the scripts of the stores do. */
export async function publish(
  redis: RedisClient,
  show: ShowId,
  { changes, notice }: FeedEntry,
): Promise<void> {
  await writeElement(redis, show, changes, notice ? packedNotice(notice) : [0, Buffer.alloc(0)]);
}

/** The same, with a notice that this version doesn't know. */
export async function publishOfFuture(
  redis: RedisClient,
  show: ShowId,
  changes: FeedEntry['changes'],
): Promise<void> {
  await writeElement(redis, show, changes, [99, Buffer.from('seats were offered for a swap')]);
}

async function writeElement(
  redis: RedisClient,
  show: ShowId,
  changes: FeedEntry['changes'],
  [kind, notice]: PackedNotice,
): Promise<void> {
  const flat = changes.flatMap(({ seat, status }) => [seat, status]);
  const entry = Buffer.concat([
    Buffer.of(kind),
    uint32(changes.length, notice.length, ...changes.map(({ seat, status }) => 4 * seat + status)),
    notice,
  ]);
  await writeEntry.run(redis, keysOfShow(show), flat, entry);
}

/** The number of a notice's kind, and its fields. */
type PackedNotice = readonly [kind: number, fields: Buffer];

function packedNotice(notice: Notice): PackedNotice {
  switch (notice.kind) {
    case 'hold':
      return [1, Buffer.concat([text(notice.session), recordOf(notice.hold)])];
    case 'hold-ended': {
      const { holdToken, revision, reason, session, seats } = notice;
      return [2, Buffer.concat([double(holdToken, revision), text(reason), text(session), uint32(...seats)])];
    }
    case 'order':
      return [3, Buffer.concat([text(notice.session), Buffer.from(JSON.stringify(notice.order))])];
    case 'admitted': {
      const admissions = notice.admissions.map(({ session, deadline }) => [double(deadline), text(session)]);
      return [4, Buffer.concat(admissions.flat())];
    }
    case 'outside':
      return [5, Buffer.concat([text(notice.session), Buffer.from(notice.reason)])];
  }
}

/** A hold's record as the scripts keep it; seats without prices. */
function recordOf(hold: Hold): Buffer {
  const seats = hold.seats.map((seat) => Buffer.concat([uint32(seat), double(0, 0), Buffer.of(0), text('')]));
  const size = seats.reduce((sum, one) => sum + one.length, 0);
  const stage = hold.orderId === null ? 0 : hold.isAccepted ? 3 : 1;
  const checkout =
    hold.orderId === null
      ? Buffer.alloc(0)
      : Buffer.concat([double(hold.amount, 0, hold.begunAt), text('key-one-'), text(hold.orderId)]);
  return Buffer.concat([
    double(hold.holdToken, hold.expiresAt, hold.revision, hold.amount),
    Buffer.of(hold.extensionsLeft, stage),
    uint32(seats.length, size),
    ...seats,
    checkout,
  ]);
}

function double(...values: readonly number[]): Buffer {
  return Buffer.concat(
    values.map((value) => {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    }),
  );
}

function uint32(...values: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(values).buffer);
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length), bytes]);
}
