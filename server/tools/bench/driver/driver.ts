/** A process that is many clients at once, and does as it is told. */
import { createHash } from 'node:crypto';
import { SUBPROTOCOL } from '@stampede/shared/protocol/limits.ts';
import { encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import { serverMessages } from '@stampede/shared/protocol/messages.ts';
import { BuyerSessions } from '../../../src/access/buyer-session.ts';
import { MassCrowd } from '../../mass/mass-crowd.ts';
import { maskedFrame } from '../../mass/frame-writing.ts';
import { serveCalls } from '../rigs/child-calls.ts';
import { SESSION_SECRET } from '../rigs/server-process.ts';
import type {
  EnterCall,
  ListenResult,
  OpenCall,
  OpenPeerCall,
  SellCall,
  SellResult,
  VolleyCall,
  VolleyResult,
} from './driver-calls.ts';
import { Entering } from './entering.ts';
import { Listening } from './listening.ts';
import { openPeerClients, type PeerClients } from './peer-clients.ts';
import { opcodeAt } from './packed-fields.ts';
import { Selling } from './selling.ts';
import { Volley } from './volley.ts';

/** Fewer than a port range has: what ended keeps its port for a minute. */
const SOCKETS_PER_ADDRESS = 5_000;
/** 127.8.0.0 and up: away from addresses that people use by hand. */
const FIRST_DISTRICT = 8;
const DISTRICTS = 240;
const STREETS = 250;
const ID_BYTES = 16;
const RELEASING_MAX = 200;

/** Who hears of messages and closed sockets at the moment. */
interface Hearing {
  message(socket: number, bytes: Buffer, start: number, end: number): void;
  closed(code: number): void;
}

const deaf: Hearing = { message: () => undefined, closed: () => undefined };

let hearing = deaf;
let crowd: MassCrowd | null = null;
let peerClients: PeerClients | null = null;
let tokens: Float64Array = new Float64Array(0);

function present(): MassCrowd {
  if (!crowd) throw new Error('no sockets are open');
  return crowd;
}

/** The same sessions in every run: a buyer who came once keeps the admission [P4]. */
function bearerOf(buyer: number): string {
  const id = createHash('sha256').update(`buyer ${buyer}`).digest().subarray(0, ID_BYTES);
  const sessions = new BuyerSessions([Buffer.from(SESSION_SECRET)], () => id);
  return sessions.create(Date.now()).bearer;
}

/** Drivers that work side by side have addresses of their own. */
function sourceOf(socket: number): string {
  const district = FIRST_DISTRICT + (process.pid % DISTRICTS);
  const street = Math.floor(process.pid / DISTRICTS) % STREETS;
  return `127.${district}.${street}.${1 + Math.floor(socket / SOCKETS_PER_ADDRESS)}`;
}

async function hear<T>(next: Hearing, run: () => Promise<T>): Promise<T> {
  hearing = next;
  return run().finally(() => (hearing = deaf));
}

const handlers = {
  async open({ port, sockets, buyers, firstBuyer }: OpenCall): Promise<void> {
    crowd = await MassCrowd.open(
      sockets,
      (socket) => ({
        port,
        path: '/socket',
        subprotocol: buyers ? SUBPROTOCOL : null,
        bearer: buyers ? bearerOf(firstBuyer + socket) : null,
        source: sourceOf(socket),
      }),
      {
        message: (socket, bytes, start, end) => hearing.message(socket, bytes, start, end),
        closed: (_socket, code) => hearing.closed(code),
      },
    );
  },

  async enter(call: EnterCall): Promise<void> {
    const entering = new Entering(present(), call);
    await hear(entering, () => entering.run());
  },

  async volley(call: VolleyCall): Promise<VolleyResult> {
    const volley = new Volley(present(), call);
    return hear(volley, () => volley.run()).finally(() => (tokens = volley.tokens));
  },

  /** Gives back what the last volley held. */
  async release(): Promise<void> {
    const everybody = present();
    const holders = [...tokens.keys()].filter((socket) => (tokens[socket] ?? 0) > 0);
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    let next = 0;
    let over = 0;
    const releaseNext = (): void => {
      const socket = holders[next++];
      if (socket === undefined) return;
      const message = {
        type: 'release',
        requestId: next,
        holdToken: tokens[socket] ?? 0,
        seats: [],
      } as const;
      everybody.send(socket, maskedFrame(encodeClientMessage(message)));
    };
    const ended = serverMessages['hold-ended'].opcode;
    const releasing: Hearing = {
      closed: (code) => reject(new Error(`the server closed a socket (${code})`)),
      message: (_socket, bytes, start) => {
        if (opcodeAt(bytes, start) === serverMessages.refused.opcode)
          reject(new Error('a release was refused'));
        if (opcodeAt(bytes, start) !== ended) return;
        over += 1;
        if (over === holders.length) resolve(undefined);
        else releaseNext();
      },
    };
    if (holders.length === 0) return;
    await hear(releasing, () => {
      for (let count = 0; count < RELEASING_MAX; count++) releaseNext();
      return promise;
    });
    tokens.fill(0);
  },

  async sell(call: SellCall): Promise<SellResult> {
    const selling = new Selling(present(), call);
    return hear(selling, () => selling.run());
  },

  async listen({ ms }: { ms: number }): Promise<ListenResult> {
    const listening = new Listening(present().size);
    return hear({ ...deaf, message: (...frame) => listening.message(...frame) }, () => listening.run(ms));
  },

  async openPeer(call: OpenPeerCall): Promise<void> {
    peerClients = await openPeerClients(call);
  },

  /** Messages that came from the peer's server since the last call. */
  countPeer(_nothing: null): number {
    return peerClients?.takeCount() ?? 0;
  },

  close(_nothing: null): void {
    crowd?.close();
    crowd = null;
  },
} as const;

export type Driver = typeof handlers;

serveCalls(handlers);
