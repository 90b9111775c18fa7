/** A process that is many clients at once, and does as it is told. */
import { createHash } from 'node:crypto';
import { SUBPROTOCOL } from '@stampede/shared/protocol/limits.ts';
import { BuyerSessions } from '../../../src/access/buyer-session.ts';
import { sessionId } from '../../../src/platform/ids.ts';
import type { ListenResult, OpenCall, OpenPeerCall, WorkCall, WorkResult } from './driver-calls.ts';
import { errandsFor, type Tokens } from './errands.ts';
import { Listening } from './listening.ts';
import { openPeerClients } from './peer-clients.ts';
import { Workload } from './workload.ts';
import { SESSION_SECRET } from '../rigs/bench-server.ts';
import { serveCalls } from '../rigs/child.ts';
import { MassCrowd } from '../../mass/mass-crowd.ts';

/** Fewer than a port range has: what ended keeps its port for a minute. */
const SOCKETS_PER_ADDRESS = 5_000;
/** 127.8.0.0 and up: away from addresses that people use by hand. */
const FIRST_DISTRICT = 8;
const DISTRICTS = 240;
const STREETS = 250;
const ID_BYTES = 16;

/** Who hears of messages and closed sockets at the moment. */
type Hearing = Pick<Workload, 'message' | 'closed'>;
const deaf: Hearing = { message: () => undefined, closed: () => undefined };

let hearing = deaf;
let present: MassCrowd | null = null;
let tokens: Tokens = new Float64Array(0);
let takePeerCount = (): number => 0;

function crowd(): MassCrowd {
  if (!present) throw new Error('no sockets are open');
  return present;
}

/** The same sessions in every run: a buyer who came once keeps the admission [P4]. */
function bearerOf(buyer: number): string {
  const id = createHash('sha256').update(`buyer ${buyer}`).digest().subarray(0, ID_BYTES);
  const session = sessionId(id.toString('base64url'));
  return new BuyerSessions([Buffer.from(SESSION_SECRET)]).open(session, Date.now()).bearer;
}

/** Drivers that work side by side have addresses of their own. */
function sourceOf(socket: number): string {
  const district = FIRST_DISTRICT + (process.pid % DISTRICTS);
  const street = Math.floor(process.pid / DISTRICTS) % STREETS;
  return `127.${district}.${street}.${1 + Math.floor(socket / SOCKETS_PER_ADDRESS)}`;
}

const hear = <T>(next: Hearing, run: () => Promise<T>): Promise<T> => {
  hearing = next;
  return run().finally(() => (hearing = deaf));
};

const driver = {
  async open({ port, sockets, firstBuyer }: OpenCall): Promise<void> {
    tokens = new Float64Array(sockets);
    present = await MassCrowd.open(
      sockets,
      (socket) => ({
        port,
        path: '/socket',
        subprotocol: firstBuyer === null ? null : SUBPROTOCOL,
        bearer: firstBuyer === null ? null : bearerOf(firstBuyer + socket),
        source: sourceOf(socket),
      }),
      {
        message: (socket, bytes, start, end) => hearing.message(socket, bytes, start, end),
        closed: (_socket, code) => hearing.closed(code),
      },
    );
  },

  work(call: WorkCall): Promise<WorkResult> {
    const { size } = crowd();
    const all = Array.from({ length: size - (call.from ?? 0) }, (_, index) => (call.from ?? 0) + index);
    const sockets = call.errand.kind === 'release' ? all.filter((socket) => tokens[socket] !== 0) : all;
    const errandsOf = (workload: Workload) => errandsFor(call, { crowd: crowd(), tokens, workload });
    const workload = new Workload(call, sockets, size, errandsOf);
    return hear(workload, () => workload.run());
  },

  listen({ ms }: { ms: number }): Promise<ListenResult> {
    const listening = new Listening(crowd().size);
    return hear(listening, () => listening.run(ms));
  },

  async openPeer(call: OpenPeerCall): Promise<void> {
    takePeerCount = await openPeerClients(call);
  },

  /** Messages that came from the peer's server since the last call. */
  countPeer(): number {
    return takePeerCount();
  },
} as const;

export type Driver = typeof driver;

serveCalls(driver);
