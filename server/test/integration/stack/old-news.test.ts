import { afterAll, beforeAll, expect, test } from 'vitest';
import type { OpenSocket } from '@stampede/shared/client/client-socket.ts';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import { decodeServerFrame } from '@stampede/shared/protocol/codec.ts';
import type { ServerMessageOf } from '@stampede/shared/protocol/messages.ts';
import { socketsFrom } from '../../../tools/shopper/sockets.ts';
import { Fleet, type FleetNode, until } from './fleet.ts';
import { freshSharedParts, type SharedParts } from './shared-parts.ts';
import { newBearer } from '../../../tools/shopper/shopper.ts';

type HoldWord = ServerMessageOf<'hold' | 'hold-ended'>;

const SEATS = 40;
/** Each holds and gives back once: who does that again has to wait a while. */
const BUYERS = SEATS / 2;

let parts: SharedParts;
let fleet: Fleet;
let node: FleetNode;
const clients: StampedeClient[] = [];

beforeAll(async () => {
  parts = await freshSharedParts();
  fleet = await Fleet.prepare(parts, [{ sectionSeats: [SEATS] }]);
  node = await fleet.start('gateway,worker,scheduler');
});
afterAll(async () => {
  for (const client of clients) client.stop();
  await fleet.end();
  await parts.drop();
});

/** Sockets whose words about holds are noted as they come. */
function listening(words: HoldWord[]): OpenSocket {
  const open = socketsFrom(null, () => undefined);
  return (url, subprotocol, events) =>
    open(url, subprotocol, {
      ...events,
      opened: () => events.opened(),
      closed: (code) => events.closed(code),
      received: (frame) => {
        const decoded = decodeServerFrame(frame);
        const message = decoded.ok ? decoded.message : null;
        if (message?.type === 'hold' || message?.type === 'hold-ended') words.push(message);
        events.received(frame);
      },
    });
}

/** Pushes that come after a newer word about the same hold, or about a later one. */
function oldNews(words: readonly HoldWord[]): readonly HoldWord[] {
  const isNewer = (a: HoldWord, b: HoldWord): boolean =>
    a.holdToken === b.holdToken ? a.revision > b.revision : a.holdToken > b.holdToken;
  return words.filter(
    (word, index) => word.requestId === 0 && words.slice(0, index).some((before) => isNewer(before, word)),
  );
}

test('6.3 no push is older than an answer before it, however the feed comes in between', async () => {
  const heard = await Promise.all(
    Array.from({ length: BUYERS }, async (_, number) => {
      const words: HoldWord[] = [];
      const client = new StampedeClient({
        url: `ws://127.0.0.1:${node.port}/socket`,
        bearer: await newBearer(node.port),
        openSocket: listening(words),
      });
      clients.push(client);
      client.start();
      await client.enter(1, { sections: [{ seatCount: SEATS }] });
      await client.join();
      await until('admitted', () => client.view.standing.state === 'admitted');
      expect(await client.hold([2 * number])).toMatchObject({ ok: true });
      await Promise.all([client.hold([2 * number + 1]), client.extend()]);
      expect(await client.release()).toMatchObject({ ok: true });
      expect(client.view.hold).toBeNull();
      return words;
    }),
  );
  expect(heard.every((words) => words.length >= 3)).toBe(true);
  expect(heard.flatMap(oldNews)).toEqual([]);
});
