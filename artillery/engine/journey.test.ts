import { ScriptedServer, type ScriptedSocket } from '@stampede/shared/client/testing/scripted-server.ts';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { seededRandom } from '@stampede/shared/platform/random.ts';
import type { ClientMessage } from '@stampede/shared/protocol/messages.ts';
import type { SeatMap } from '@stampede/shared/seat-map/seat-map.ts';
import { packStatuses } from '@stampede/shared/seat-map/seat-status.ts';
import { describe, expect, it } from 'vitest';
import { RunKeys } from '../../server/tools/crowd/ledger.ts';
import { rankSeats } from '../../server/tools/shopper/seat-choice.ts';
import type { CrowdShow } from '../../server/tools/shopper/ticket-office.ts';
import { parseFlow } from './flow.ts';
import { makeJourney } from './journey.ts';
import { Journal } from './journal.ts';
import { LoadMetrics } from './load-metrics.ts';
import { Walker } from './walker.ts';

const SEATS = 4;
const MAP: SeatMap = {
  seatCount: SEATS,
  sections: [
    {
      index: 0,
      name: 'Stalls',
      tier: 'Stalls',
      start: 0,
      seatCount: SEATS,
      rows: [{ label: 'A', start: 0, seatCount: SEATS, firstSeat: 1, priceLevel: 0 }],
    },
  ],
  x: new Float32Array(SEATS),
  y: new Float32Array(SEATS),
  priceLevel: new Uint8Array(SEATS),
  sectionOf: new Uint16Array(SEATS),
};
const SHOW: CrowdShow = {
  id: 1,
  title: 'A show',
  phase: 'open',
  opensAt: 0,
  seatsPerBuyer: 4,
  drawCommitment: '',
  map: MAP,
  prices: [1_000],
};
const NOW = 1_700_000_000_000;
const DEADLINE = NOW + 600_000;
const TURNS_MAX = 5_000;
const TURN_MS = 100;

const ARRIVING = ['connect', 'join', { await: { admission: {} } }, 'watch'];

type Script = (message: ClientMessage, socket: ScriptedSocket) => boolean;

/** A server that lets everybody in and gives them any seat, unless `special` has answered already. */
function serverOf(special: Script = () => false): ScriptedServer {
  const server = new ScriptedServer();
  server.script = (message, socket) => {
    if (message.type === 'acknowledge' || special(message, socket)) return;
    const { requestId } = message;
    if (message.type === 'authenticate') socket.say({ type: 'welcome', requestId, now: NOW });
    if (message.type === 'enter') {
      socket.say({ type: 'phase', phase: 'open', lobbyAt: 0, opensAt: 0, now: NOW });
      socket.say({ type: 'outside', requestId: 0, reason: 'not-joined' });
      const sale = { show: 1, epoch: 1, seatsPerBuyer: 4, holdLifetimeMs: 60_000 };
      socket.say({ type: 'entered', requestId, now: NOW, ...sale });
    }
    if (message.type === 'join') socket.say({ type: 'admitted', requestId, deadline: DEADLINE, now: NOW });
    if (message.type === 'watch') {
      const statuses = packStatuses(new Uint8Array(SEATS));
      socket.say({ type: 'snapshot', section: 0, epoch: 1, sequence: 5, statuses });
      socket.say({ type: 'done', requestId });
    }
    if (message.type === 'hold') {
      const hold = {
        holdToken: 1,
        seats: message.seats,
        expiresAt: DEADLINE,
        extensionsLeft: 1,
        orderId: null,
        payment: 'none',
        revision: 1,
      } as const;
      socket.say({ type: 'hold', requestId, now: NOW, ...hold });
    }
    if (message.type === 'leave') socket.say({ type: 'outside', requestId, reason: 'left' });
  };
  return server;
}

interface Visit {
  readonly wentWell: boolean;
  readonly counters: ReadonlyMap<string, number>;
}

/** Sends one buyer through a flow, with time passing whenever nobody has anything to do. */
async function visit(server: ScriptedServer, flow: readonly unknown[]): Promise<Visit> {
  const clock = new ManualClock(NOW);
  const counters = new Map<string, number>();
  const metrics = new LoadMetrics(new Journal(undefined, '1'));
  const emit = (event: string, name = '', value = 1): void => {
    if (event !== 'histogram') counters.set(name, (counters.get(name) ?? 0) + value);
  };
  metrics.begin({ emit });
  const house = {
    show: SHOW,
    desirability: rankSeats(MAP),
    contestedSeat: 2,
    keys: new RunKeys('test'),
    journal: new Journal(undefined, '1'),
    metrics,
    clock,
    stopwatch: () => clock.now(),
    beganAt: NOW,
  };
  const random = seededRandom(7);
  const walker = new Walker(house, {
    number: 1,
    random,
    askForSession: async () => ({ kind: 'session', bearer: 'b' }),
    openSocket: (url, subprotocol, events) => {
      const socket = server.openSocket(url, subprotocol, events);
      void Promise.resolve().then(() => server.socket.accept());
      return socket;
    },
    openClient: (bearer, openSocket) =>
      new StampedeClient({ url: 'ws://x/socket', bearer, openSocket, clock, random }),
  });
  const ended: boolean[] = [];
  void makeJourney(walker, parseFlow(flow, 'test')).then((wentWell) => ended.push(wentWell));
  for (let turn = 0; turn < TURNS_MAX && ended.length === 0; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(TURN_MS);
  }
  const [wentWell] = ended;
  if (wentWell === undefined) throw new Error('the journey did not end');
  return { wentWell, counters };
}

describe('a journey', () => {
  it('goes through its steps and home, giving back the place', async () => {
    const server = serverOf();
    const { wentWell, counters } = await visit(server, [...ARRIVING, { hold: { seats: 2 } }]);
    expect(wentWell).toBe(true);
    expect(server.socket.last('hold').seats).toHaveLength(2);
    expect(server.socket.all('leave')).toHaveLength(1);
    expect(Object.fromEntries(counters)).toMatchObject({
      'stampede.errors': 0,
      'stampede.seats_held': 2,
      'stampede.browsed': 1,
      'stampede.unanswered': 0,
    });
  });

  it('chooses other seats where somebody was faster', async () => {
    let refusals = 2;
    const server = serverOf((message, socket) => {
      if (message.type !== 'hold' || refusals === 0) return false;
      refusals--;
      const { requestId, seats } = message;
      socket.say({ type: 'refused', requestId, code: 'seat-taken', seats, detail: '', retryAfterMs: 0 });
      return true;
    });
    const { wentWell, counters } = await visit(server, [...ARRIVING, { hold: { seats: 1 } }]);
    expect(wentWell).toBe(true);
    const [first, second] = server.socket.all('hold');
    expect(second?.seats).not.toEqual(first?.seats);
    expect(counters.get('stampede.seats_taken')).toBe(2);
  });

  const refuseHold: Script = (message, socket) => {
    if (message.type !== 'hold') return false;
    const { requestId } = message;
    socket.say({ type: 'refused', requestId, code: 'not-admitted', seats: [], detail: '', retryAfterMs: 0 });
    return true;
  };

  it('fails at the first outcome that was not expected, and counts it once', async () => {
    const { wentWell, counters } = await visit(serverOf(refuseHold), [...ARRIVING, 'hold', 'orders']);
    expect(wentWell).toBe(false);
    expect(Object.fromEntries(counters)).toMatchObject({
      'stampede.errors': 1,
      'hold:not-admitted': 1,
      'stampede.unanswered': 1,
    });
  });

  it('goes on after a refusal that was expected, and skips what needs seats', async () => {
    const expecting = { hold: { expect: ['ok', 'not-admitted'] } };
    const { wentWell, counters } = await visit(serverOf(refuseHold), [...ARRIVING, expecting, 'release']);
    expect(wentWell).toBe(true);
    expect(counters.get('stampede.errors')).toBe(0);
    expect(counters.get('stampede.steps_skipped')).toBe(1);
  });

  it('takes the end of a sale for an answer', async () => {
    const server = serverOf((message, socket) => {
      if (message.type === 'hold') {
        const { requestId } = message;
        socket.say({ type: 'refused', requestId, code: 'sold-out', seats: [], detail: '', retryAfterMs: 0 });
      }
      return message.type === 'hold';
    });
    const { wentWell, counters } = await visit(server, [...ARRIVING, 'hold', 'orders']);
    expect(wentWell).toBe(true);
    expect(counters.get('stampede.refused')).toBe(1);
  });

  it('[P4] comes back after a lost connection, and tells when its hold is gone', async () => {
    const flow = [...ARRIVING, 'hold', 'drop', { resume: { within: 20 } }];
    const server = serverOf();
    const { wentWell, counters } = await visit(server, flow);
    expect(server.sockets).toHaveLength(2);
    expect(wentWell).toBe(false);
    expect(counters.get('resume:not-kept')).toBe(1);
  });

  it('[P4, P5] finds all of it again where the server kept it', async () => {
    const server = serverOf((message, socket) => {
      if (message.type !== 'enter' || server.sockets.length === 1) return false;
      const hold = { holdToken: 1, seats: [2], expiresAt: DEADLINE, extensionsLeft: 1 };
      socket.say({ type: 'phase', phase: 'open', lobbyAt: 0, opensAt: 0, now: NOW });
      socket.say({ type: 'admitted', requestId: 0, deadline: DEADLINE, now: NOW });
      socket.say({
        type: 'hold',
        requestId: 0,
        now: NOW,
        ...hold,
        orderId: null,
        payment: 'none',
        revision: 1,
      });
      const sale = { show: 1, epoch: 1, seatsPerBuyer: 4, holdLifetimeMs: 60_000 };
      socket.say({ type: 'entered', requestId: message.requestId, now: NOW, ...sale });
      return true;
    });
    const flow = [...ARRIVING, { hold: { seats: 'contested' } }, 'drop', 'resume'];
    expect(
      await visit(server, [...flow, { expect: { seatsHeld: 1, standing: ['admitted'] } }]),
    ).toMatchObject({
      wentWell: true,
    });
  });
});
