import { decodeServerFrame, encodeClientMessage } from '@stampede/shared/protocol/codec.ts';
import {
  type ClientMessage,
  clientMessages,
  type ServerMessage,
  serverMessages,
} from '@stampede/shared/protocol/messages.ts';
import { SOLD } from '@stampede/shared/seat-map/seat-status.ts';
import { decodeSectionDelta } from '@stampede/shared/seat-map/section-delta.ts';
import type { Errand, WorkCall } from './driver-calls.ts';
import { afterNumber, firstField, numberAt, opcodeAt } from './listening.ts';
import type { Errands, Workload } from './workload.ts';
import { maskedFrame, type MassCrowd } from '../../mass/mass-crowd.ts';

/** With no common divisor with any number of seats of ours: neighbours in time are far apart in the house. */
const SEAT_STRIDE = 7_919;
/** Numbers of requests: holds of one seat count from 1. */
const JOIN = 900_002;
const WATCH = 900_003;
const REQUEST = 900_004;

/** A socket's hold in the show: its token; 0 without. */
export type Tokens = Float64Array;
type Of<Kind> = Extract<Errand, { kind: Kind }>;

/** All that errands are done with. */
interface Means {
  readonly crowd: MassCrowd;
  readonly tokens: Tokens;
  readonly workload: Workload;
}

export function errandsFor({ errand, times, from = 0 }: WorkCall, means: Means): Errands {
  switch (errand.kind) {
    case 'enter':
      return entering(errand, means);
    case 'echo':
    case 'hold':
      return holding(errand, times, means);
    case 'release':
      return releasing(means);
    case 'shop':
      return shopping(errand, from, means);
    case 'pay':
      return paying(errand, from, means);
  }
}

const say = (crowd: MassCrowd, socket: number, message: ClientMessage): void =>
  crowd.send(socket, maskedFrame(encodeClientMessage(message)));

/** Errands that unpack what they hear. */
function hearing(
  { workload }: Means,
  begin: Errands['begin'],
  heard: (socket: number, message: ServerMessage) => void,
): Errands {
  return {
    begin,
    heard(socket, bytes, start, end) {
      // Of what everybody may watch, socket 0 alone takes notice.
      if (socket !== 0 && opcodeAt(bytes, start) === serverMessages.delta.opcode) return;
      const decoded = decodeServerFrame(bytes.subarray(start, end));
      if (decoded.ok) heard(socket, decoded.message);
      else workload.fail(`an unreadable frame: ${decoded.detail}`);
    },
  };
}

function entering({ show, until, watch, watchers }: Of<'enter'>, means: Means): Errands {
  const { crowd, workload } = means;
  /** Positions and admissions may be told again. */
  const came = new Uint8Array(crowd.size);
  return hearing(
    means,
    (socket) => say(crowd, socket, { type: 'enter', requestId: REQUEST, show }),
    (socket, message) => {
      if (message.type === 'refused') workload.fail(`refused: ${message.code} ${message.detail}`);
      else if (message.type === 'entered' && until !== 'entered') {
        say(crowd, socket, { type: 'join', requestId: JOIN, receipt: null });
      } else if (message.type === until && came[socket] === 0) {
        came[socket] = 1;
        if (socket >= watchers || watch.length === 0) workload.over(socket, until);
        else {
          const sections = watch.map((section) => ({ section, epoch: 0, sequence: 0 }));
          say(crowd, socket, { type: 'watch', requestId: WATCH, sections });
        }
      } else if (message.type === 'done' && message.requestId === WATCH) workload.over(socket, until);
    },
  );
}

/** `[hold, requestId, [seat]]`, each number in five bytes, so that others can be written over them. */
const UINT32 = [0xce, 0, 0, 0, 0];
const HOLD = [0x93, clientMessages.hold.opcode, ...UINT32, 0x91, ...UINT32];
const REQUEST_FROM_END = 10;
const SEAT_FROM_END = 4;

/** A `hold` of one seat as a frame that is filled in again and again. */
export const holdFrame = (): Buffer => maskedFrame(Uint8Array.from(HOLD));

/** Makes it ask for this seat. */
export function fillHoldFrame(frame: Buffer, requestId: number, seat: number): void {
  frame.writeUInt32BE(requestId, frame.length - REQUEST_FROM_END);
  frame.writeUInt32BE(seat, frame.length - SEAT_FROM_END);
}

/** Who gave seats back may not have the same ones again soon: with each work the seats of everybody are others. */
let worked = 0;

/** Nothing is allocated for any of them: there are tens of thousands a second. An echo has the same frames. */
function holding(errand: Of<'hold'> | Of<'echo'>, times: number, means: Means): Errands {
  const { crowd, tokens, workload } = means;
  const frames = Array.from({ length: crowd.size }, holdFrame);
  const { seat = null, seatCount = 1 } = errand.kind === 'hold' ? errand : {};
  const others = worked++ * crowd.size;
  return {
    begin(socket, count) {
      const frame = frames[socket];
      if (!frame) return;
      fillHoldFrame(
        frame,
        count + 1,
        seat ?? (((others + socket) * times + count) * SEAT_STRIDE) % seatCount,
      );
      crowd.send(socket, frame);
    },
    heard(socket, bytes, start, end) {
      const opcode = opcodeAt(bytes, start);
      const field = firstField(start);
      if (errand.kind === 'echo') workload.over(socket, 'echo', end - start);
      else if (opcode === serverMessages.hold.opcode) {
        tokens[socket] = numberAt(bytes, afterNumber(bytes, field));
        // What the feed says of the hold is no answer.
        if (numberAt(bytes, field) !== 0) workload.over(socket, 'held', end - start);
      } else if (opcode === serverMessages.refused.opcode) workload.over(socket, 'refused', end - start);
    },
  };
}

function releasing({ crowd, tokens, workload }: Means): Errands {
  return {
    begin: (socket) => release(crowd, socket, tokens),
    heard(socket, bytes, start) {
      const opcode = opcodeAt(bytes, start);
      if (opcode === serverMessages.refused.opcode) workload.fail('a release was refused');
      if (opcode === serverMessages['hold-ended'].opcode) workload.over(socket, 'released');
    },
  };
}

function release(crowd: MassCrowd, socket: number, tokens: Tokens): void {
  say(crowd, socket, { type: 'release', requestId: REQUEST, holdToken: tokens[socket] ?? 0, seats: [] });
  tokens[socket] = 0;
}

/** Times that this driver's buyers went shopping, so that those who give back find other seats each time. */
let shopped = 0;

function shopping(
  { seatsAtOnce, then, seatCount, ...paid }: Of<'shop'>,
  from: number,
  means: Means,
): Errands {
  const { crowd, tokens, workload } = means;
  return hearing(
    means,
    (socket) => {
      const first = (then === 'release' ? shopped++ : socket - from) * seatsAtOnce;
      const stride = then === 'release' ? SEAT_STRIDE : 1;
      const seats = Array.from({ length: seatsAtOnce }, (_, at) => ((first + at) * stride) % seatCount);
      say(crowd, socket, { type: 'hold', requestId: REQUEST, seats });
    },
    (socket, message) => {
      if (message.type === 'refused') workload.over(socket, message.code);
      else if (message.type === 'hold' && message.requestId === REQUEST) {
        tokens[socket] = message.holdToken;
        if (then === 'keep') workload.over(socket, 'held');
        else if (then === 'release') release(crowd, socket, tokens);
        else pay({ ...paid, seatsAtOnce }, socket, means);
      } else if (message.type === 'hold-ended' && then === 'release') workload.over(socket, 'released');
      else if (message.type === 'order' && message.order.status !== 'processing') {
        workload.over(socket, message.order.status);
      }
    },
  );
}

/** Keeping comes before, so that at a given pace the payments alone are timed. */
function paying(errand: Of<'pay'>, from: number, means: Means): Errands {
  const { crowd, workload } = means;
  const { seatsAtOnce, seatsPerSection } = errand;
  /** Those whose seats nobody saw sold yet. */
  const unseen = new Uint8Array(crowd.size).fill(1);
  const over = (socket: number, outcome: string): void => {
    if (unseen[socket] === 1) workload.over(socket, outcome);
    unseen[socket] = 0;
  };
  return hearing(
    means,
    (socket) => pay(errand, socket, means),
    (socket, message) => {
      if (message.type === 'refused') over(socket, message.code);
      else if (message.type === 'order' && !['processing', 'confirmed'].includes(message.order.status)) {
        over(socket, message.order.status);
      } else if (message.type === 'delta') {
        for (const { seat, status } of decodeSectionDelta(message.changes, seatsPerSection) ?? []) {
          const index = message.section * seatsPerSection + seat;
          if (status === SOLD) over(from + Math.floor(index / seatsAtOnce), 'confirmed');
        }
      }
    },
  );
}

function pay(
  { label, price, seatsAtOnce }: Omit<Of<'pay'>, 'kind' | 'seatsPerSection'>,
  socket: number,
  { crowd, tokens }: Means,
): void {
  say(crowd, socket, {
    type: 'checkout',
    requestId: REQUEST,
    holdToken: tokens[socket] ?? 0,
    idempotencyKey: `${label}-${socket}`,
    amount: price * seatsAtOnce,
  });
}
