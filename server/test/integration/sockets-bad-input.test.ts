import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { closeCodes } from '@stampede/shared/protocol/codes.ts';
import { encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import {
  AUTHENTICATION_TIMEOUT_MS,
  FRAME_BYTES_HARD_MAX,
  FRAME_BYTES_MAX,
  MALFORMED_FRAMES_MAX,
} from '@stampede/shared/protocol/limits.ts';
import { type AppStand, startAppStand } from './app-stand.ts';
import type { PlainSocket, Request } from './app-stand-socket.ts';

const SOCKETS_PER_ADDRESS = 10;
/** More than all the other tests of this file open. */
const SOCKETS_PER_HOUR = 200;

let stand: AppStand;
let nextSeat = 0;

beforeAll(async () => {
  stand = await startAppStand({
    shows: [{ sectionSeats: [400, 40] }, { sectionSeats: [10] }],
    settings: {
      SOCKETS_PER_ADDRESS_MAX: String(SOCKETS_PER_ADDRESS),
      SOCKETS_PER_HOUR: String(SOCKETS_PER_HOUR),
    },
  });
});

/** Nothing lost: after every abuse somebody else buys the next seat on the same server. */
afterEach(async () => {
  const seat = nextSeat++;
  const buyer = await stand.shopper();
  const amount = 2_000;
  expect(await stand.during(buyer.hold([seat]))).toMatchObject({ ok: true, hold: { seats: [seat] } });
  expect(await stand.during(buyer.checkout({ idempotencyKey: `after-abuse-${seat}`, amount }))).toMatchObject(
    { ok: true },
  );
  await stand.until('a ticket', () =>
    [...buyer.view.orders.values()].some(({ tickets }) => tickets.length === 1),
  );
  buyer.stop();
  await stand.until('nobody left', () => stand.socketCount === 0);
});

afterAll(async () => {
  await stand.stop();
  expect(stand.errors).toEqual([]);
});

const token = (holdToken: number): Request => ({ type: 'extend', holdToken });

async function enteredSocket(index = 0): Promise<PlainSocket> {
  const socket = await stand.socket();
  await socket.ask({ type: 'enter', show: stand.show(index).id });
  return socket;
}

async function admittedSocket(index = 0): Promise<PlainSocket> {
  const socket = await enteredSocket(index);
  await socket.ask({ type: 'join', receipt: null });
  await stand.until('admitted', () => socket.of('admitted').length > 0);
  return socket;
}

/** Sends bytes and returns the refusal that comes back. */
async function refusalOf(socket: PlainSocket, frame: Uint8Array | string) {
  const before = socket.of('refused').length;
  socket.send(frame);
  await stand.until('a refusal', () => socket.of('refused').length > before);
  return socket.of('refused')[before];
}

describe('frames that are none', () => {
  test('1.5 7.2 an opcode that nobody has is an unknown message, under its request number', async () => {
    const socket = await stand.socket();
    expect(await refusalOf(socket, bytes(0x92, 0x7f, 5))).toMatchObject({
      code: 'unknown-message',
      requestId: 5,
    });
    // A server's own message is no client's.
    expect(await refusalOf(socket, bytes(0x93, 0x4f, 6, 0))).toMatchObject({
      code: 'unknown-message',
      requestId: 6,
    });
    await socket.close();
  });

  test.each([
    ['a text for a number', [0x93, 0x02, 1, 0xa1, 0x37]],
    ['too few fields', [0x92, 0x02, 1]],
    ['too many fields', [0x94, 0x02, 1, 1, 1]],
    ['a fraction', [0x93, 0x02, 1, 0xca, 0x3f, 0xc0, 0, 0]],
    ['a negative number', [0x93, 0x02, 1, 0xff]],
    ['a seat twice', [0x93, 0x06, 1, 0x92, 7, 7]],
    ['no seats', [0x93, 0x06, 1, 0x90]],
    ['a map', [0x81, 0x01, 0x02]],
    ['an extension', [0xd4, 0x01, 0x02]],
    ['a frame that ends early', [0x93, 0x02, 1]],
    ['bytes behind the end', [0x92, 0x0b, 1, 0x00]],
    ['no array', [0x05]],
    ['nothing', []],
  ])('1.5 %s is malformed, and the socket goes on', async (_, frame) => {
    const socket = await stand.socket();
    expect(await refusalOf(socket, bytes(...frame))).toMatchObject({ code: 'malformed' });
    expect(await socket.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await socket.close();
  });

  test('1.2 7.1 a text frame is malformed, whatever it says', async () => {
    const socket = await stand.socket();
    expect(await refusalOf(socket, '[11,1]')).toMatchObject({ code: 'malformed', requestId: 0 });
    await socket.close();
  });

  test('1.3 7.3 a frame longer than a client may send is too large; past the hard bound the socket is cut', async () => {
    const socket = await stand.socket();
    expect(await refusalOf(socket, new Uint8Array(FRAME_BYTES_MAX + 1))).toMatchObject({ code: 'too-large' });
    expect(await refusalOf(socket, new Uint8Array(FRAME_BYTES_HARD_MAX))).toMatchObject({
      code: 'too-large',
    });
    socket.send(new Uint8Array(FRAME_BYTES_HARD_MAX + 1));
    expect(await socket.closed).toBeLessThan(4_000);
  });

  test('1.2 a message in fragments is one message, and bounded like one', async () => {
    const socket = await stand.socket();
    socket.sendFragments(encodeClientMessage({ type: 'ping', requestId: 77 }), 3);
    await stand.until('pong', () => socket.of('pong').some((pong) => pong.requestId === 77));
    socket.sendFragments(new Uint8Array(FRAME_BYTES_MAX + 1), 9);
    await stand.until('refused', () => socket.of('refused').some(({ code }) => code === 'too-large'));
    socket.sendFragments(new Uint8Array(4 * FRAME_BYTES_HARD_MAX), 40);
    expect(await socket.closed).toBeLessThan(4_000);
  });

  test('1.5 who keeps sending nonsense is closed as a protocol violation', async () => {
    const socket = await stand.socket();
    for (let frame = 0; frame < MALFORMED_FRAMES_MAX; frame++) socket.send(bytes(0xc1));
    expect(await socket.closed).toBe(closeCodes['protocol-violation']);
    expect(socket.of('refused')).toHaveLength(MALFORMED_FRAMES_MAX);
  });
});

describe('requests that make no sense', () => {
  test('7.10 a seat out of range, and one that only another show has, are unknown', async () => {
    const large = await admittedSocket(0);
    expect(await large.ask({ type: 'hold', seats: [440] })).toMatchObject({
      code: 'seat-unknown',
      seats: [440],
    });
    const small = await admittedSocket(1);
    expect(await small.ask({ type: 'hold', seats: [9, 10] })).toMatchObject({
      code: 'seat-unknown',
      seats: [10],
    });
    expect(await small.ask({ type: 'hold', seats: [9] })).toMatchObject({ type: 'hold' });
    expect(await small.ask({ type: 'leave' })).toMatchObject({ type: 'outside', reason: 'left' });
    await Promise.all([large.close(), small.close()]);
  });

  test('7.12 a hold before admission is refused', async () => {
    const socket = await enteredSocket();
    expect(await socket.ask({ type: 'hold', seats: [399] })).toMatchObject({ code: 'not-admitted' });
    await socket.close();
  });

  test('[P6] 7.14 7.15 a foreign, a stale and an invented hold token are refused alike, and nothing changes', async () => {
    const [owner, thief] = [await admittedSocket(), await admittedSocket()];
    const hold = await owner.ask({ type: 'hold', seats: [390, 391] });
    const holdToken = hold.type === 'hold' ? hold.holdToken : 0;
    const key = { idempotencyKey: 'a-thief-pays', amount: 4_000 };
    expect(await thief.ask(token(holdToken))).toMatchObject({ code: 'hold-ended' });
    expect(await thief.ask({ type: 'release', holdToken, seats: [] })).toMatchObject({
      code: 'hold-ended',
    });
    expect(await thief.ask({ type: 'checkout', holdToken, ...key })).toMatchObject({
      code: 'hold-ended',
    });
    expect(await thief.ask(token(holdToken + 1_000))).toMatchObject({ code: 'hold-ended' });
    expect(await owner.ask({ type: 'release', holdToken, seats: [392] })).toMatchObject({
      code: 'seat-unknown',
      seats: [392],
    });
    expect(
      await owner.ask({ type: 'checkout', holdToken, idempotencyKey: 'too-cheap', amount: 1 }),
    ).toMatchObject({ code: 'amount-changed' });
    expect(await owner.ask({ type: 'release', holdToken, seats: [] })).toMatchObject({
      type: 'hold-ended',
      reason: 'released',
    });
    expect(await owner.ask(token(holdToken))).toMatchObject({ code: 'hold-ended' });
    expect(await owner.ask({ type: 'checkout', holdToken, ...key })).toMatchObject({ code: 'hold-ended' });
    await Promise.all([owner.close(), thief.close()]);
  });

  test('7.13 one buyer gets no more seats than the limit', async () => {
    const socket = await admittedSocket();
    expect(await socket.ask({ type: 'hold', seats: [380, 381, 382, 383, 384] })).toMatchObject({
      code: 'limit-exceeded',
    });
    await socket.close();
  });

  test('7.7 7.8 7.9 an unknown show, a request without one and an unknown section', async () => {
    const socket = await stand.socket();
    expect(await socket.ask({ type: 'join', receipt: null })).toMatchObject({ code: 'not-entered' });
    expect(await socket.ask({ type: 'watch', sections: [] })).toMatchObject({ code: 'not-entered' });
    expect(await socket.ask({ type: 'enter', show: 999 })).toMatchObject({ code: 'show-unknown' });
    await socket.ask({ type: 'enter', show: stand.show().id });
    const sections = [0, 2].map((section) => ({ section, epoch: 0, sequence: 0 }));
    expect(await socket.ask({ type: 'watch', sections })).toMatchObject({ code: 'section-unknown' });
    expect(socket.of('snapshot')).toEqual([]);
    await socket.close();
  });

  test('3.3 two enters at once are both answered, and the last one counts', async () => {
    const socket = await stand.socket();
    const enters = [0, 1].map((index) => socket.ask({ type: 'enter', show: stand.show(index).id }));
    const again = [1, 1, 0].map((index) => socket.ask({ type: 'enter', show: stand.show(index).id }));
    const answers = await Promise.all([...enters, ...again]);
    expect(answers.map((answer) => answer.type)).toEqual(answers.map(() => 'entered'));
    expect(answers.at(-1)).toMatchObject({ show: stand.show(0).id });
    expect(
      await socket.ask({ type: 'watch', sections: [{ section: 1, epoch: 0, sequence: 0 }] }),
    ).toMatchObject({ type: 'done' });
    await socket.close();
  });
});

/** What every answer over HTTP says, and that nothing more is read from who was refused. */
const SAFE = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': expect.stringContaining("default-src 'none'") as string,
  'cache-control': 'no-store',
  connection: 'close',
};

describe('sessions that are none', () => {
  test('2.4 a forged or stale session with the upgrade is closed as stale', async () => {
    const { bearer } = stand.newSession();
    const forged = `${bearer.slice(0, -3)}${bearer.endsWith('AAA') ? 'BBB' : 'AAA'}`;
    for (const headers of [{ authorization: `Bearer ${forged}` }, { cookie: `stampede_session=${forged}` }]) {
      const socket = await stand.anonymousSocket({ headers });
      expect(await socket.closed).toBe(closeCodes['session-stale']);
      expect(socket.heard).toEqual([]);
    }
  });

  test('2.4 7.6 a forged session in `authenticate` is refused as stale, then the socket is closed', async () => {
    const socket = await stand.anonymousSocket();
    expect(await socket.ask({ type: 'authenticate', bearer: 'nonsense' })).toMatchObject({
      code: 'session-stale',
    });
    expect(await socket.closed).toBe(closeCodes['session-stale']);
  });

  test("10.5 signing out closes every socket of the session, and nobody else's", async () => {
    const { bearer } = stand.newSession();
    const [one, other, stranger] = [
      await stand.socket({ bearer }),
      await stand.socket({ bearer }),
      await stand.socket(),
    ];
    await fetch(`http://127.0.0.1:${stand.port}/api/sessions`, {
      method: 'DELETE',
      headers: { Authorization: `Bearer ${bearer}` },
    });
    const stale = closeCodes['session-stale'];
    expect(await Promise.all([one.closed, other.closed])).toEqual([stale, stale]);
    expect(await stranger.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await stranger.close();
  });

  test('2.3 7.5 before welcome everything but `authenticate` is refused', async () => {
    const socket = await stand.anonymousSocket();
    const requests: Request[] = [
      { type: 'ping' },
      { type: 'enter', show: 1 },
      { type: 'join', receipt: null },
      { type: 'orders' },
      { type: 'hold', seats: [1] },
    ];
    for (const request of requests)
      expect(await socket.ask(request)).toMatchObject({ code: 'not-authenticated' });
    expect(await socket.ask({ type: 'authenticate', bearer: stand.newSession().bearer })).toMatchObject({
      type: 'welcome',
    });
    await socket.close();
  });

  test('2.2 a second `authenticate` is refused and changes nothing, valid or not', async () => {
    const socket = await stand.socket();
    for (const bearer of [stand.newSession().bearer, 'nonsense']) {
      expect(await socket.ask({ type: 'authenticate', bearer })).toMatchObject({ code: 'malformed' });
    }
    expect(await socket.ask({ type: 'orders' })).toMatchObject({ type: 'orders' });
    await socket.close();
  });

  test('2.5 a socket without a session is closed after 5 s', async () => {
    const socket = await stand.anonymousSocket();
    const tookMs = await stand.until('closed', () => socket.closeCode !== null);
    expect(tookMs).toBeGreaterThanOrEqual(AUTHENTICATION_TIMEOUT_MS);
    expect(tookMs).toBeLessThan(AUTHENTICATION_TIMEOUT_MS + 500);
    expect(socket.closeCode).toBe(closeCodes['authentication-timeout']);
  });

  test('1.1 a page of another origin gets no socket; nor does a client without our subprotocol', async () => {
    const origins = ['https://elsewhere.example', 'null', 'nonsense'];
    for (const origin of origins) {
      await expect(stand.socket({ headers: { origin } })).rejects.toMatchObject({
        status: 403,
        headers: SAFE,
      });
    }
    await expect(stand.socket({ protocols: [] })).rejects.toMatchObject({ status: 400 });
    await expect(stand.socket({ protocols: ['stampede.v2'] })).rejects.toMatchObject({ status: 400 });
    const own = await stand.socket({
      headers: { origin: `http://127.0.0.1:${stand.port}` },
      protocols: ['stampede.v2', 'stampede.v1'],
    });
    await own.close();
  });
});

test('8 every end of a socket is counted by its reason', async () => {
  const count = async (reason: string): Promise<number> => {
    const line = `stampede_socket_closes_total{reason="${reason}"} `;
    const text = await stand.metrics.text();
    return Number(text.slice(text.indexOf(line) + line.length).split('\n', 1)[0]);
  };
  const reasons = ['protocol-violation', 'session-stale', 'left', 'cut'] as const;
  const before = await Promise.all(reasons.map(count));
  const [violent, leaving, lost] = [await stand.socket(), await stand.socket(), await stand.socket()];
  for (let frame = 0; frame < MALFORMED_FRAMES_MAX; frame++) violent.send(bytes(0xc1));
  await Promise.all([violent.closed, leaving.close(), lost.cut()]);
  await (
    await stand.anonymousSocket({ headers: { authorization: 'Bearer nonsense' } })
  ).closed;
  await stand.until('all gone', () => stand.socketCount === 0);
  expect(await Promise.all(reasons.map(count))).toEqual(before.map((number) => number + 1));
});

describe('too much', () => {
  test('7.4 13.1 a flood is rate-limited with the time to wait, and passes when that is over', async () => {
    const socket = await stand.socket();
    const answers = await Promise.all(Array.from({ length: 200 }, () => socket.ask({ type: 'ping' })));
    const refused = answers.filter((answer) => answer.type === 'refused');
    expect(refused.length).toBeGreaterThan(100);
    for (const one of refused) expect(one).toMatchObject({ code: 'rate-limited' });
    const retryAfterMs = Math.max(...refused.map((one) => one.retryAfterMs));
    expect(retryAfterMs).toBeGreaterThan(0);
    await stand.pass(retryAfterMs);
    expect(await socket.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await socket.close();
  });

  test('[P7] 1.8 an address opens so many sockets an hour, however soon each is closed; another address goes on', async () => {
    for (let socket = 0; socket < SOCKETS_PER_HOUR; socket++) {
      await (await stand.socket({ from: '127.0.0.8' })).cut();
      // Time for those that ended to be counted out.
      if (socket % SOCKETS_PER_ADDRESS === 0) stand.clock.advance(5_000);
    }
    await expect(stand.socket({ from: '127.0.0.8' })).rejects.toMatchObject({
      status: 429,
      headers: { ...SAFE, 'retry-after': expect.stringMatching(/^\d+$/) as string },
    });
    await (await stand.socket({ from: '127.0.0.7' })).close();
  });

  test('[P7] 8 one socket too many of an address is closed as such, another address is not, and one that leaves makes room', async () => {
    const sockets = await Promise.all(Array.from({ length: SOCKETS_PER_ADDRESS }, () => stand.socket()));
    const oneMore = await stand.socket();
    expect(await oneMore.closed).toBe(closeCodes['too-many-sockets']);
    expect(oneMore.heard).toEqual([]);
    const elsewhere = await stand.socket({ from: '127.0.0.9' });
    expect(await elsewhere.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await sockets[0]!.cut();
    await stand.until('room', () => stand.socketCount === SOCKETS_PER_ADDRESS);
    const next = await stand.socket();
    expect(await next.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
    await Promise.all([...sockets.slice(1), elsewhere, next].map((socket) => socket.close()));
  });
});

function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}
