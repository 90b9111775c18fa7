import fc from 'fast-check';
import { type RefusalCode, refusalCodes } from '../codes.ts';
import {
  BEARER_LENGTH_MAX,
  IDEMPOTENCY_KEY_LENGTH_MAX,
  IDEMPOTENCY_KEY_LENGTH_MIN,
  ORDERS_LISTED_MAX,
  RECEIPT_LENGTH_MAX,
  SEATS_PER_REQUEST_MAX,
  SEATS_PER_SHOW_MAX,
  SECTIONS_PER_SHOW_MAX,
  SECTIONS_WATCHED_MAX,
} from '../limits.ts';
import {
  type ClientMessage,
  holdEndReasonNumbers,
  orderStatusNumbers,
  outsideReasonNumbers,
  paymentStageNumbers,
  phaseNumbers,
  type ServerMessage,
} from '../messages.ts';

const UINT32_MAX = 2 ** 32 - 1;
const PACKED_BYTES_TRIED = 400;

const uint32 = fc.integer({ min: 0, max: UINT32_MAX });
const requestId = fc.integer({ min: 1, max: UINT32_MAX });
const whole = fc.maxSafeNat();
const show = requestId;
const section = fc.integer({ min: 0, max: SECTIONS_PER_SHOW_MAX - 1 });
const seat = fc.integer({ min: 0, max: SEATS_PER_SHOW_MAX - 1 });
const packed = fc.uint8Array({ maxLength: PACKED_BYTES_TRIED });

function oneOf<Name extends string>(numbers: Readonly<Record<Name, number>>): fc.Arbitrary<Name> {
  // Object.keys forgets which names it lists.
  return fc.constantFrom(...(Object.keys(numbers) as Name[]));
}

const PRINTABLE_ASCII = Array.from({ length: 0x7e - 0x20 }, (_, code) => String.fromCharCode(0x21 + code));

/** Printable ASCII without spaces. */
export function asciiWord(maxLength: number, minLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: fc.constantFrom(...PRINTABLE_ASCII), minLength, maxLength });
}

/** Well-formed Unicode of so many UTF-16 code units, beyond ASCII too. */
function text(maxLength: number, minLength = 0): fc.Arbitrary<string> {
  return fc
    .string({ unit: 'binary', minLength, maxLength })
    .filter((value) => value.length >= minLength && value.length <= maxLength);
}

function seats(minLength: number): fc.Arbitrary<number[]> {
  return fc.uniqueArray(seat, { minLength, maxLength: SEATS_PER_REQUEST_MAX });
}

const order = fc.record({
  id: text(40, 1),
  show,
  status: oneOf(orderStatusNumbers),
  seats: seats(0),
  amount: whole,
  currency: text(3, 3),
  createdAt: whole,
  reason: text(80),
  tickets: fc.array(text(40, 1), { maxLength: SEATS_PER_REQUEST_MAX }),
});

type Arbitraries<Message extends { type: string }> = {
  readonly [Type in Message['type']]: fc.Arbitrary<Omit<Extract<Message, { type: Type }>, 'type'>>;
};

const clientBodies: Arbitraries<ClientMessage> = {
  authenticate: fc.record({ requestId, bearer: text(BEARER_LENGTH_MAX / 2, 1) }),
  enter: fc.record({ requestId, show }),
  join: fc.record({ requestId, receipt: fc.option(text(RECEIPT_LENGTH_MAX / 2, 1)) }),
  leave: fc.record({ requestId }),
  watch: fc.record({
    requestId,
    sections: fc.uniqueArray(fc.record({ section, epoch: uint32, sequence: uint32 }), {
      selector: (one) => one.section,
      maxLength: SECTIONS_WATCHED_MAX,
    }),
  }),
  hold: fc.record({ requestId, seats: seats(1) }),
  extend: fc.record({ requestId, holdToken: whole }),
  release: fc.record({ requestId, holdToken: whole, seats: seats(0) }),
  checkout: fc.record({
    requestId,
    holdToken: whole,
    idempotencyKey: asciiWord(IDEMPOTENCY_KEY_LENGTH_MAX, IDEMPOTENCY_KEY_LENGTH_MIN),
    amount: whole,
  }),
  orders: fc.record({ requestId }),
  ping: fc.record({ requestId }),
  acknowledge: fc.record({
    sections: fc.uniqueArray(fc.record({ section, sequence: uint32 }), {
      selector: (one) => one.section,
      maxLength: SECTIONS_WATCHED_MAX,
    }),
  }),
};

const serverBodies: Arbitraries<ServerMessage> = {
  welcome: fc.record({ requestId: uint32, now: whole }),
  entered: fc.record({
    requestId: uint32,
    show,
    epoch: uint32,
    now: whole,
    seatsPerBuyer: fc.integer({ min: 1, max: SEATS_PER_REQUEST_MAX }),
    holdLifetimeMs: whole,
  }),
  phase: fc.record({ phase: oneOf(phaseNumbers), lobbyAt: whole, opensAt: whole, now: whole }),
  waiting: fc.record({
    requestId: uint32,
    position: whole,
    behind: whole,
    wait: fc.option(fc.record({ lowSeconds: whole, highSeconds: whole })),
  }),
  admitted: fc.record({ requestId: uint32, deadline: whole, now: whole }),
  outside: fc.record({ requestId: uint32, reason: oneOf(outsideReasonNumbers) }),
  snapshot: fc.record({ section, epoch: uint32, sequence: uint32, statuses: packed }),
  delta: fc.record({ section, sequence: uint32, changes: packed }),
  summary: fc.record({ sections: packed }),
  hold: fc.record({
    requestId: uint32,
    holdToken: whole,
    seats: seats(1),
    expiresAt: whole,
    now: whole,
    extensionsLeft: uint32,
    orderId: fc.option(text(40, 1)),
    payment: oneOf(paymentStageNumbers),
    revision: whole,
  }),
  'hold-ended': fc.record({
    requestId: uint32,
    holdToken: whole,
    seats: seats(1),
    reason: oneOf(holdEndReasonNumbers),
    revision: whole,
  }),
  order: fc.record({ requestId: uint32, order }),
  orders: fc.record({ requestId: uint32, orders: fc.array(order, { maxLength: ORDERS_LISTED_MAX / 10 }) }),
  refused: fc.record({
    requestId: uint32,
    code: oneOf<RefusalCode>(refusalCodes),
    seats: seats(0),
    detail: text(200),
    retryAfterMs: whole,
  }),
  done: fc.record({ requestId: uint32 }),
  pong: fc.record({ requestId: uint32, now: whole }),
  moving: fc.record({ spreadMs: uint32 }),
  place: fc.record({ receipt: text(RECEIPT_LENGTH_MAX, 1) }),
};

function anyOf<Message extends { type: string }>(bodies: Arbitraries<Message>): fc.Arbitrary<Message> {
  const messages = Object.entries<fc.Arbitrary<object>>(bodies).map(([type, body]) =>
    body.map((fields) => ({ type, ...fields })),
  );
  // Each body was checked against its type above; the union is lost in `entries`.
  return fc.oneof(...messages) as unknown as fc.Arbitrary<Message>;
}

/** Any message a client may send, within all bounds. */
export const anyClientMessage: fc.Arbitrary<ClientMessage> = anyOf<ClientMessage>(clientBodies);

/** Any message a server may send, within all bounds. */
export const anyServerMessage: fc.Arbitrary<ServerMessage> = anyOf<ServerMessage>(serverBodies);
