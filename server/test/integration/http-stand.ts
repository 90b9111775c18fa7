import { type IncomingHttpHeaders, request } from 'node:http';
import { createConnection, type Socket } from 'node:net';
import uws from 'uWebSockets.js';
import { expect } from 'vitest';
import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import type { ErrorBody } from '@stampede/shared/protocol/http.ts';
import type { Phase } from '@stampede/shared/protocol/messages.ts';
import { seatMapOf } from '@stampede/shared/seat-map/seat-map.ts';
import type { VenueLayout } from '@stampede/shared/seat-map/venue-layout.ts';
import { BuyerSessions } from '../../src/access/buyer-session.ts';
import { AddressList } from '../../src/access/ip-address.ts';
import { RequestBudgets } from '../../src/access/request-budgets.ts';
import { NetworkTags } from '../../src/access/network-tag.ts';
import { SecurityEvents } from '../../src/access/security-events.ts';
import { TicketRecovery } from '../../src/access/ticket-recovery.ts';
import type { RecoveryStore } from '../../src/access/ticket-recovery.ts';
import type { Show } from '../../src/catalog/show.ts';
import { listen } from '../../src/gateway/http-listen.ts';
import { type HttpParts, routeHealth, routeHttp } from '../../src/gateway/http-routes.ts';
import { StaticFiles } from '../../src/gateway/static-files.ts';
import { type SessionId, showId } from '../../src/platform/ids.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { nextTurn } from '../../src/platform/outside.ts';
import type { ListedSale } from '../../src/sale/sales.ts';
import { SeatBoard } from '../../src/sale/seat-board.ts';

const SECRET = Buffer.alloc(32, 1);
/** 06:13:20 on a November day; the show of the stand opened an hour before. */
export const NOW = 1_700_000_000_000;
const HOUR = 60 * 60 * 1_000;
const SECTIONS = 40;
const SEATS_PER_SECTION = 50;

const layout: VenueLayout = {
  id: 'test-hall',
  name: 'Test Hall',
  city: 'Testville',
  width: 20,
  height: 20,
  landmarks: [],
  priceLevels: ['Front', 'Back'],
  sections: Array.from({ length: SECTIONS }, (_, index) => ({
    name: `Section ${index + 1}`,
    tier: 'Floor',
    blocks: [
      {
        priceLevel: index % 2,
        rows: 1,
        firstRow: 'A',
        seats: [SEATS_PER_SECTION, SEATS_PER_SECTION],
        front: { from: [0, index], to: [20, index], bend: 0 },
        back: { from: [0, index], to: [20, index], bend: 0 },
      },
    ],
  })),
};

const show: Show = {
  id: showId(7),
  title: 'Night of the Long Queue',
  subtitle: 'One night only',
  description: 'A show to be tested.',
  startsAt: NOW + 100 * HOUR,
  currency: 'EUR',
  prices: [9_000, 4_500],
  sale: {
    lobbyAt: NOW - 2 * HOUR,
    opensAt: NOW - HOUR,
    closesAt: NOW + 99 * HOUR,
    admissionsPerSecond: 10,
    admissionBurst: 10,
    admittedMax: 100,
    admissionLifetimeMs: 600_000,
    seatsPerBuyer: 6,
    holdLifetimeMs: 300_000,
    extensionsMax: 1,
  },
  layout,
  seatMap: seatMapOf(layout),
  drawSeed: '11'.repeat(32),
  paused: false,
};

export interface StandOptions {
  readonly readsPerMinute?: number;
  readonly callsPerMinute?: number;
  readonly trustedProxies?: readonly string[];
  readonly unlimitedAddresses?: readonly string[];
  readonly allowedOrigins?: readonly string[];
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  json(): unknown;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Uint8Array;
  /** Which address of this machine calls. */
  readonly from?: string;
}

/** Every route on a real server, with parts that a test can turn. */
export async function startHttpStand(options: StandOptions = {}) {
  const clock = new ManualClock(NOW);
  const board = new SeatBoard(show.seatMap, show.prices.length);
  const { seatCount } = show.seatMap;
  board.reset({ epoch: 3, statuses: new Uint8Array(seatCount), sequences: Array<number>(SECTIONS).fill(0) });
  const sale = {
    show,
    phase: 'open' as Phase,
    failing: false,
    away: false,
    crowded: false,
    hasTickets: true,
  };
  const { id, name, city, timeZone = 'UTC', priceLevels } = layout;
  const venue = { id, name, city, timeZone, priceLevels, seatCount };
  const more = { venue, cancelled: false, version: 1 };
  let told = { from: show, show: { ...show, ...more } };
  const listed: ListedSale = {
    get show() {
      // An edited show is another object, one that was not edited the same.
      if (told.from !== sale.show) told = { from: sale.show, show: { ...sale.show, ...more } };
      return told.show;
    },
    get freeSeats() {
      return board.freeSeats;
    },
    phase: () => sale.phase,
  };
  const readiness = {
    isDraining: false,
    ready: { database: true, seats: true },
    parts: () => readiness.ready,
    troubleOf: (name: string) => name,
  };
  const logged: string[] = [];
  const ended: string[] = [];
  const logger = createLogger({
    level: 'debug',
    readable: false,
    to: { write: (line) => void logged.push(line) },
  });
  const metrics = new Metrics(clock);
  const unlimitedAddresses = new AddressList(options.unlimitedAddresses);
  const parts: HttpParts = {
    outside: { clock, random: systemRandom, nextTurn, report: () => undefined },
    metrics,
    logger,
    networks: new NetworkTags(SECRET, unlimitedAddresses),
    events: new SecurityEvents({ metrics, logger, clock }),
    trustedProxies: new AddressList(options.trustedProxies),
    shows: {
      catalogue() {
        if (sale.failing) throw new Error('the catalogue broke');
        return [listed];
      },
      lastStartsAt: show.startsAt,
      listed: (id) => (id === show.id ? listed : undefined),
      show: async (id) => (id === show.id ? sale.show : null),
      look: async (id) => {
        if (sale.away) throw new Error('Redis is away');
        if (sale.crowded) return 'busy';
        return id === show.id ? { show: sale.show, board } : null;
      },
    },
    endSession: (session) => void ended.push(session),
    sessions: new BuyerSessions([SECRET]),
    recovery: new TicketRecovery({
      secret: SECRET,
      store: memoryRecoveries(),
      hasTickets: async () => sale.hasTickets,
      clock,
    }),
    allowedOrigins: options.allowedOrigins ?? [],
    budgets: new RequestBudgets({
      httpReadsPerMinute: options.readsPerMinute ?? 10_000,
      httpCallsPerMinute: options.callsPerMinute ?? 10_000,
      sessionsPerHour: 10_000,
      socketsPerHour: 10_000,
    }),
    unlimitedAddresses,
    readiness,
    files: new StaticFiles(
      new Map(Object.entries(options.files ?? {}).map(([name, content]) => [name, Buffer.from(content)])),
    ),
  };
  const app = uws.App();
  routeHealth(app, parts, true);
  routeHttp(app, parts);
  const { port } = await listen(app, '127.0.0.1', 0);

  return {
    clock,
    board,
    sale,
    readiness,
    metrics,
    logged,
    ended,
    port,
    call: (method: string, path: string, call: CallOptions = {}) => callHttp(port, method, path, call),
    /** A connection to write to by hand. */
    connect: () => connectTo(port),
    close: () => void app.close(),
  };
}

function memoryRecoveries(): RecoveryStore {
  const sessions = new Map<string, SessionId>();
  return {
    remember: async (digest, session) => void sessions.set(digest, session),
    sessionOf: async (digest) => sessions.get(digest) ?? null,
  };
}

export type HttpStand = Awaited<ReturnType<typeof startHttpStand>>;

function callHttp(port: number, method: string, path: string, options: CallOptions): Promise<Answer> {
  const { headers = {}, body, from } = options;
  return new Promise((resolve, reject) => {
    const address = { host: '127.0.0.1', port, ...(from !== undefined && { localAddress: from }) };
    // A connection each, so that one that was cut doesn't spoil the next call.
    const call = request({ ...address, method, path, headers: { ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        const json = (): unknown => JSON.parse(whole.toString('utf8'));
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, json });
      });
    });
    call.on('error', reject);
    call.end(body);
  });
}

function connectTo(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host: '127.0.0.1', port }, () => resolve(socket));
    socket.once('error', reject);
  });
}

export const TRACE_ID = /^[0-9a-f]{32}$/;

/** That an answer is this error, told the way every error is. */
export function expectError(answer: Answer, status: number, code: string): void {
  const body = answer.json() as ErrorBody;
  expect([answer.status, body.code]).toEqual([status, code]);
  expect(body.message).not.toBe('');
  expect(body.traceId).toMatch(TRACE_ID);
  expect(answer.headers['trace-id']).toBe(body.traceId);
  expect(answer.headers['cache-control']).toBe('no-store');
}
