import { beforeEach, describe, expect, test } from 'vitest';
import { encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import {
  AUTHENTICATION_TIMEOUT_MS,
  OVERHASTY_FRAMES_MAX,
  SOCKETS_PER_SESSION_MAX,
} from '@stampede/shared/protocol/limits.ts';
import type { ClientMessage, OrderMessage, ServerMessage } from '@stampede/shared/protocol/messages.ts';
import { HELD } from '@stampede/shared/seat-map/seat-status.ts';
import {
  type HeardWire,
  openLiveSale,
  settle,
  waitingRoomSettings,
} from '../../test/integration/app-stand-sale.ts';
import { SecurityEvents } from '../access/security-events.ts';
import type { BuyerSession, SessionReading } from '../access/buyer-session.ts';
import { sessionId } from '../platform/ids.ts';
import { createLogger } from '../platform/logger.ts';
import { done, type Outcome, refuse } from '../platform/outcome.ts';
import { Metrics } from '../platform/metrics.ts';
import { BuyerConnection, type ConnectionParts } from './buyer-connection.ts';
import { PlaceReceipts } from '../waiting-room/place-receipts.ts';
import { BuyerRequests } from '../sale/buyer-requests.ts';
import { SessionTabs } from '../sale/session-tabs.ts';

const ANN = sessionId('ann');
/** Nobody's session ends while a test runs, unless the test says so. */
const sessionOf = (id: string, expiresAt = Infinity): BuyerSession => ({ id: sessionId(id), expiresAt });

let house: Awaited<ReturnType<typeof openLiveSale>>;
let parts: ConnectionParts;
let logged: string[];
let metrics: Metrics;
/** What the order database does; a test may make it slow or break it. */
let listOrders: () => Promise<readonly OrderMessage[]>;
let beginCheckout: () => Promise<Outcome<OrderMessage>>;

beforeEach(async () => {
  house = await openLiveSale();
  const { clock, sale, seats, waitingRoom } = house;
  const sales = { enter: async (id: number) => (id === sale.show.id ? sale : null) };
  logged = [];
  listOrders = async () => [];
  beginCheckout = async () => refuse('busy');
  metrics = new Metrics(clock);
  const requests = new BuyerRequests({
    waitingRoom: { store: waitingRoom, settings: waitingRoomSettings, receipts },
    seats,
    checkout: { run: () => beginCheckout() },
    orders: { run: () => listOrders() },
    shows: () => [],
    counts: metrics,
    clock,
  });
  const logger = createLogger({
    level: 'error',
    readable: false,
    to: { write: (line) => void logged.push(line) },
  });
  const events = new SecurityEvents({ metrics, logger, clock });
  const readBearer = (bearer: string): SessionReading =>
    bearer === 'forged' ? { kind: 'stale' } : { kind: 'session', session: sessionOf(bearer) };
  parts = { sales, requests, sessions: { readBearer }, siblings: new SessionTabs(), clock, logger, events };
});

function connect(): { wire: HeardWire; connection: BuyerConnection; say: (message: ClientMessage) => void } {
  const wire = house.newWire();
  const connection = new BuyerConnection(parts, wire, null);
  return { wire, connection, say: (message) => connection.receive(encodeClientMessage(message), true) };
}

function connectAs(session = ANN) {
  const tab = connect();
  tab.connection.recognise(sessionOf(session));
  return tab;
}

const enter = { type: 'enter', requestId: 1, show: 1 } as const;
const receipts = new PlaceReceipts([Buffer.alloc(32, 7)]);
const join = { type: 'join', requestId: 2, receipt: null } as const;
const types = (wire: HeardWire): string[] => wire.heard.map((message) => message.type);

describe('what is turned away', () => {
  test('leaves its count: frames by what was wrong, and holds that came too soon', async () => {
    const { connection, say } = connectAs();
    connection.receive(Uint8Array.of(0xc1), true);
    for (let requestId = 1; requestId <= 100; requestId++) say({ type: 'hold', requestId, seats: [1] });
    const text = await metrics.text();
    expect(text).toContain('stampede_refusals_total{kind="frame-malformed"} 1');
    const overhasty = Number(/stampede_refusals_total\{kind="frame-rate-limited"\} (\d+)/.exec(text)?.[1]);
    expect(overhasty).toBeGreaterThan(0);
    expect(text).toContain(`stampede_holds_total{outcome="rate-limited"} ${overhasty}`);
  });
});

describe('the sockets of one session', () => {
  const ping = (requestId: number) => ({ type: 'ping', requestId }) as const;
  const pongs = (wire: HeardWire): number => types(wire).filter((type) => type === 'pong').length;

  test('[P7] 7.4 have one budget: more of them have no more to say', () => {
    const [one, other] = [connectAs(), connectAs()];
    for (let request = 1; request <= 100; request++) one.say(ping(request));
    const said = pongs(one.wire);
    expect(said).toBeLessThan(100);
    other.say(ping(1));
    expect(other.wire.heard.at(-1)).toMatchObject({ type: 'refused', code: 'rate-limited' });
    const stranger = connectAs(sessionId('bob'));
    stranger.say(ping(1));
    expect(pongs(stranger.wire)).toBe(1);
  });

  test('[P7] 8 4103 are so many; one that leaves makes room', () => {
    const tabs = Array.from({ length: SOCKETS_PER_SESSION_MAX }, () => connectAs());
    expect(tabs.map(({ wire }) => wire.closedAs)).toEqual(tabs.map(() => null));
    const oneMore = connectAs();
    expect(oneMore.wire.closedAs).toBe('too-many-sockets');
    expect(types(oneMore.wire)).toEqual([]);
    tabs[0]?.connection.closed();
    expect(connectAs().wire.closedAs).toBeNull();
  });

  test('10.4 end with it, and not before', () => {
    const { wire, connection } = connect();
    connection.recognise(sessionOf('ann', 5_000));
    connection.endSessionIfOver(4_999);
    expect(wire.closedAs).toBeNull();
    connection.endSessionIfOver(5_000);
    expect(wire.closedAs).toBe('session-stale');
  });
});

describe('a socket without a session', () => {
  test('2.5 is closed when its time is over, and not when it got one in time', () => {
    const [late, early] = [connect(), connect()];
    house.clock.advance(AUTHENTICATION_TIMEOUT_MS - 1);
    early.say({ type: 'authenticate', requestId: 1, bearer: 'ann' });
    house.clock.advance(1);
    expect([late.wire.closedAs, early.wire.closedAs]).toEqual(['authentication-timeout', null]);
    expect(types(early.wire)).toEqual(['welcome']);
  });

  test('2.4 is refused and closed when its bearer is no session', () => {
    const { wire, say } = connect();
    say({ type: 'authenticate', requestId: 9, bearer: 'forged' });
    expect(wire.heard).toMatchObject([{ type: 'refused', requestId: 9, code: 'session-stale' }]);
    expect(wire.closedAs).toBe('session-stale');
  });
});

describe('a socket that says too much', () => {
  test('7.4 [P7] is refused, and closed when it goes on and on', () => {
    const { wire, say } = connectAs();
    const inTime = 60;
    for (let frame = 1; frame < inTime + OVERHASTY_FRAMES_MAX; frame++)
      say({ type: 'ping', requestId: frame });
    expect(wire.heard.filter(({ type }) => type === 'refused')).toHaveLength(OVERHASTY_FRAMES_MAX - 1);
    expect(wire.closedAs).toBeNull();
    say({ type: 'acknowledge', sections: [] });
    expect(wire.closedAs).toBe('protocol-violation');
  });
});

describe('entering', () => {
  test('3.8 pushes that come while the state is read follow it, and nothing is told twice', async () => {
    const { wire, say } = connectAs();
    const { seats, sale, waitingRoom } = house;
    await waitingRoom.join(sale.waitingRules, ANN);
    await waitingRoom.admit(sale.waitingRules);
    const { promise, resolve } = Promise.withResolvers<readonly OrderMessage[]>();
    listOrders = () => promise;
    say(enter);
    await seats.take(sale.seatRules, [
      { kind: 'hold', session: ANN, network: null, seats: [4], prices: [100] },
    ]);
    await settle();
    expect(types(wire)).toEqual(['welcome']);
    resolve([]);
    await settle();
    expect(types(wire)).toEqual(['welcome', 'phase', 'admitted', 'hold', 'summary', 'entered', 'admitted']);
  });

  test('3.3 several at once are answered in their order, and the last one counts', async () => {
    const { wire, say } = connectAs();
    say(enter);
    say({ ...enter, requestId: 2, show: 99 });
    say({ ...enter, requestId: 3 });
    await settle();
    const answers = wire.heard.flatMap((message) =>
      'requestId' in message && message.requestId ? [message] : [],
    );
    expect(answers).toMatchObject([
      { type: 'entered', requestId: 1 },
      { type: 'refused', requestId: 2, code: 'show-unknown' },
      { type: 'entered', requestId: 3 },
    ]);
    expect(house.sale.sessionCount).toBe(1);
  });

  test('[P4] 3.8 again tells who was let in, though an earlier request is still under way', async () => {
    const { wire, say } = connectAs();
    await house.waitingRoom.join(house.sale.waitingRules, ANN);
    await house.waitingRoom.admit(house.sale.waitingRules);
    const { promise, resolve } = Promise.withResolvers<Outcome<OrderMessage>>();
    beginCheckout = () => promise;
    say(enter);
    await settle();
    say({ type: 'checkout', requestId: 2, holdToken: 1, idempotencyKey: 'an-intent-to-pay', amount: 100 });
    say({ ...enter, requestId: 3 });
    await settle();
    resolve(refuse('busy'));
    await settle();
    expect(types(wire).slice(types(wire).lastIndexOf('entered'))).toEqual(['entered', 'refused', 'admitted']);
  });

  test('7.25 one that fails is refused as busy and leaves nothing behind; it may be repeated', async () => {
    const { wire, say, connection } = connectAs();
    listOrders = () => Promise.reject(new Error('the database is down'));
    say(enter);
    await settle();
    expect(wire.heard.at(-1)).toMatchObject({ type: 'refused', code: 'busy', requestId: 1 });
    expect(wire.of('refused')[0]?.retryAfterMs).toBeGreaterThan(0);
    expect([house.sale.sessionCount, wire.topics.size, logged.length]).toEqual([0, 0, 1]);
    say(join);
    await settle();
    expect(wire.heard.at(-1)).toMatchObject({ code: 'not-entered' });

    listOrders = async () => [];
    say(enter);
    await settle();
    expect(wire.heard.at(-1)).toMatchObject({ type: 'entered' });
    connection.closed();
    expect(house.sale.sessionCount).toBe(0);
  });

  test('[P7] a socket that goes while its state is read leaves no tab and no position', async () => {
    const { say, connection } = connectAs();
    await house.waitingRoom.join(house.sale.waitingRules, ANN);
    const { promise, resolve } = Promise.withResolvers<readonly OrderMessage[]>();
    listOrders = () => promise;
    say(enter);
    say({ ...enter, requestId: 2 });
    connection.closed();
    resolve([]);
    await settle();
    expect([house.sale.sessionCount, house.sale.positions.size]).toEqual([0, 0]);
  });

  test('4.4 who left in another tab while the state was read is not taken for waiting', async () => {
    const [first, second] = [connectAs(), connectAs()];
    first.say(enter);
    await settle();
    first.say(join);
    await settle();
    expect(house.sale.positions.size).toBe(1);
    const { promise, resolve } = Promise.withResolvers<readonly OrderMessage[]>();
    listOrders = () => promise;
    second.say(enter);
    first.say({ type: 'leave', requestId: 3 });
    await settle();
    resolve([]);
    await settle();
    expect(house.sale.positions.size).toBe(0);
    expect(second.wire.heard.filter(({ type }) => type === 'waiting')).toEqual([]);
  });
});

describe('going', () => {
  test('[P4] 4.5 only with the last tab does the grace time begin', async () => {
    const [first, second] = [connectAs(), connectAs()];
    for (const tab of [first, second]) tab.say(enter);
    await settle();
    first.say(join);
    await settle();
    const { waitingRoom, sale, clock } = house;
    const standing = async () => (await waitingRoom.standing(sale.waitingRules, ANN)).state;
    first.connection.closed();
    clock.advance(waitingRoomSettings.graceMs + 1);
    expect(await standing()).toBe('waiting');
    second.connection.closed();
    clock.advance(waitingRoomSettings.graceMs + 1);
    expect(await standing()).toBe('outside');
  });

  test('[P4] a buyer who went while joining is absent from then on', async () => {
    const tab = connectAs();
    tab.say(enter);
    await settle();
    tab.say(join);
    tab.connection.closed();
    await settle();
    const { waitingRoom, sale, clock } = house;
    clock.advance(waitingRoomSettings.graceMs + 1);
    expect(await waitingRoom.standing(sale.waitingRules, ANN)).toMatchObject({
      state: 'outside',
    });
    expect(sale.positions.size).toBe(0);
  });
});

describe('history that was lost', () => {
  const ORDER = {
    id: 'order-1',
    show: 1,
    status: 'processing',
    seats: [4],
    amount: 100,
    currency: 'EUR',
    createdAt: 1,
    reason: '',
    tickets: [],
  } as const satisfies OrderMessage;
  const paidFor = (payment: 'handing-over' | 'accepted', revision: number): ServerMessage => ({
    ...{ type: 'hold', requestId: 0, holdToken: 1, seats: [1], expiresAt: 9, now: 1, extensionsLeft: 1 },
    ...{ orderId: payment === 'accepted' ? ORDER.id : null, payment, revision },
  });

  test('3.8 [P2] an outcome pushed while the state is read anew is told after the older word, not before', async () => {
    const { wire, say } = connectAs();
    say(enter);
    await settle();
    const { promise, resolve } = Promise.withResolvers<readonly OrderMessage[]>();
    listOrders = () => promise;
    const told = wire.heard.length;
    house.sale.onBase({
      epoch: 8,
      statuses: new Uint8Array(house.sale.show.seatMap.seatCount),
      sequences: [],
    });
    house.sale.tell(ANN, { type: 'order', requestId: 0, order: { ...ORDER, status: 'confirmed' } });
    resolve([ORDER]);
    await settle();
    const orders = wire.heard.slice(told).filter((message) => message.type === 'order');
    expect(orders.map(({ order }) => order.status)).toEqual(['processing', 'confirmed']);
  });

  test('6.8 an outcome that is faster than the answer to its checkout follows it', async () => {
    const { wire, say } = connectAs();
    say(enter);
    await settle();
    const { promise, resolve } = Promise.withResolvers<Outcome<OrderMessage>>();
    beginCheckout = () => promise;
    say({ type: 'checkout', requestId: 2, holdToken: 1, idempotencyKey: 'an-intent-to-pay', amount: 100 });
    house.sale.tell(ANN, { type: 'order', requestId: 0, order: { ...ORDER, status: 'confirmed' } });
    expect(wire.of('order')).toEqual([]);
    resolve(done(ORDER));
    await settle();
    expect(wire.of('order').map(({ requestId, order }) => [requestId, order.status])).toEqual([
      [2, 'processing'],
      [0, 'confirmed'],
    ]);
  });

  test('6.8 nobody who was answered that the payment is accepted is told after that that it is not yet', async () => {
    const { wire, say } = connectAs();
    say(enter);
    await settle();
    const { promise, resolve } = Promise.withResolvers<Outcome<OrderMessage>>();
    beginCheckout = () => promise;
    say({ type: 'checkout', requestId: 2, holdToken: 1, idempotencyKey: 'an-intent-to-pay', amount: 100 });
    house.sale.tell(ANN, paidFor('handing-over', 1));
    resolve(done(ORDER));
    await settle();
    house.sale.tell(ANN, paidFor('handing-over', 1));
    house.sale.tell(ANN, paidFor('accepted', 2));
    expect(wire.of('hold').map(({ payment }) => payment)).toEqual(['accepted']);
  });
});

describe('a slow reader', () => {
  const change = (seat: number): void =>
    house.sale.onEntries([{ changes: [{ seat, status: HELD }], notice: null }]);

  test('[P5] that missed a broadcast gets phase, summaries and snapshots as soon as it has read the rest', async () => {
    const { wire, connection, say } = connectAs();
    say(enter);
    await settle();
    say({ type: 'watch', requestId: 2, sections: [{ section: 0, epoch: 0, sequence: 0 }] });
    const told = wire.heard.length;
    connection.caughtUp();
    expect(wire.heard).toHaveLength(told);
    change(5);
    connection.missed();
    connection.missed();
    connection.caughtUp();
    expect(types(wire).slice(told)).toEqual(['phase', 'summary', 'snapshot']);
    expect(wire.of('snapshot').at(-1)).toMatchObject({ sequence: 1 });
    house.clock.advance(60_000);
    expect(wire.closedAs).toBeNull();
  });

  test('8.8 that does not catch up is cut', () => {
    const { wire, connection } = connectAs();
    connection.missed();
    house.clock.advance(14_999);
    expect(wire.closedAs).toBeNull();
    house.clock.advance(1);
    expect(wire.closedAs).toBe('slow-reader');
  });
});
