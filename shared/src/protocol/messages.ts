import { refusalCodes } from './codes.ts';
import {
  asciiWord,
  bytes,
  distinct,
  type FieldValues,
  type Fields,
  list,
  oneOf,
  optional,
  struct,
  text,
  uint,
  UINT32_MAX,
} from './fields.ts';
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
} from './limits.ts';

/** Where an on-sale stands: `scheduled → lobby → open ⇄ paused → sold-out / closed`. */
export const phaseNumbers = { scheduled: 0, lobby: 1, open: 2, paused: 3, 'sold-out': 4, closed: 5 } as const;
export type Phase = keyof typeof phaseNumbers;

/** Where an order stands; `confirmed`, `declined`, `voided` and `refunded` are outcomes. */
export const orderStatusNumbers = {
  processing: 0,
  confirmed: 1,
  declined: 2,
  voided: 3,
  refunded: 4,
} as const;
export type OrderStatus = keyof typeof orderStatusNumbers;

/** Why somebody has no place and no admission. */
export const outsideReasonNumbers = { 'not-joined': 0, left: 1, expired: 2, finished: 3, lost: 4 } as const;
export type OutsideReason = keyof typeof outsideReasonNumbers;

/** Why a hold is over: given back, ran out, its seats went to somebody else by the database's word, or bought. */
export const holdEndReasonNumbers = { released: 0, expired: 1, lost: 2, sold: 3 } as const;
export type HoldEndReason = keyof typeof holdEndReasonNumbers;

/**
 * Where the payment of a hold stands: not begun, being handed over to the payment log (nobody may say yet that there
 * is an order), or accepted for good.
 */
export const paymentStageNumbers = { none: 0, 'handing-over': 1, accepted: 2 } as const;
export type PaymentStage = keyof typeof paymentStageNumbers;

const ORDER_ID_LENGTH_MAX = 40;
const CURRENCY_LENGTH = 3;
const TICKET_CODE_LENGTH_MAX = 40;
const REASON_LENGTH_MAX = 80;
const DETAIL_LENGTH_MAX = 200;
const SECTION_BYTES_MAX = 64 * 1_024;

/** A client's number for one request, `1…2^32 − 1`; on pushes the field is 0. */
const requestId = uint(UINT32_MAX, 1);
const answeredId = uint(UINT32_MAX);
const show = uint(UINT32_MAX, 1);
const section = uint(SECTIONS_PER_SHOW_MAX - 1);
const seat = uint(SEATS_PER_SHOW_MAX - 1);
/** Real epochs start at 1; a `watch` with epoch 0 asks for a snapshot. */
const epoch = uint(UINT32_MAX);
/** 32 bits, so that a `watch` of as many sections as allowed always fits a frame. */
const sequence = uint(UINT32_MAX);
const holdToken = uint();
/** Rises with every change of a hold: of two words about one hold, the one with the lower revision is old. */
const revision = uint();
/** Milliseconds since the Unix epoch. */
const instant = uint();
/** Minor units of the show's currency. */
const amount = uint();
const seats = list(seat, SEATS_PER_REQUEST_MAX, 1);
const itself = (index: number): number => index;

const order = struct({
  id: text(ORDER_ID_LENGTH_MAX, 1),
  show,
  status: oneOf(orderStatusNumbers),
  seats: list(seat, SEATS_PER_REQUEST_MAX),
  amount,
  currency: text(CURRENCY_LENGTH, CURRENCY_LENGTH),
  createdAt: instant,
  /** Why it was declined or voided; empty otherwise. */
  reason: text(REASON_LENGTH_MAX),
  /** One per seat, in the order of `seats`, once confirmed; empty before. */
  tickets: list(text(TICKET_CODE_LENGTH_MAX, 1), SEATS_PER_REQUEST_MAX),
});

function message<const Opcode extends number, F extends Fields>(opcode: Opcode, fields: F) {
  return { opcode, fields } as const;
}

/** What a buyer's client may say. Every message but `acknowledge` is a request and gets exactly one answer. */
export const clientMessages = {
  authenticate: message(0x01, { requestId, bearer: text(BEARER_LENGTH_MAX, 1) }),
  enter: message(0x02, { requestId, show }),
  /** `receipt`: of a place that the server may have lost. */
  join: message(0x03, { requestId, receipt: optional(text(RECEIPT_LENGTH_MAX, 1)) }),
  leave: message(0x04, { requestId }),
  watch: message(0x05, {
    requestId,
    /** Replaces what was watched. Epoch 0 asks for a snapshot. */
    sections: distinct(
      list(struct({ section, epoch, sequence }), SECTIONS_WATCHED_MAX),
      (one) => one.section,
    ),
  }),
  hold: message(0x06, { requestId, seats: distinct(seats, itself) }),
  extend: message(0x07, { requestId, holdToken }),
  release: message(0x08, {
    requestId,
    holdToken,
    /** Empty: the whole hold. */
    seats: distinct(list(seat, SEATS_PER_REQUEST_MAX), itself),
  }),
  checkout: message(0x09, {
    requestId,
    holdToken,
    idempotencyKey: asciiWord(IDEMPOTENCY_KEY_LENGTH_MAX, IDEMPOTENCY_KEY_LENGTH_MIN),
    /** What the buyer saw and agreed to; another sum is refused `amount-changed`. */
    amount,
  }),
  orders: message(0x0a, { requestId }),
  ping: message(0x0b, { requestId }),
  acknowledge: message(0x0c, {
    sections: distinct(list(struct({ section, sequence }), SECTIONS_WATCHED_MAX), (one) => one.section),
  }),
} as const;

/** What the server says: answers carry the request's id, pushes carry 0. */
export const serverMessages = {
  welcome: message(0x40, { requestId: answeredId, now: instant }),
  entered: message(0x41, {
    requestId: answeredId,
    show,
    epoch,
    now: instant,
    /** Seats one buyer may hold and own of this show. */
    seatsPerBuyer: uint(SEATS_PER_REQUEST_MAX, 1),
    holdLifetimeMs: uint(),
  }),
  phase: message(0x42, { phase: oneOf(phaseNumbers), lobbyAt: instant, opensAt: instant, now: instant }),
  waiting: message(0x43, {
    requestId: answeredId,
    /** People in front plus one; 0 in the lobby, where the draw has not been held. */
    position: uint(),
    behind: uint(),
    /** Estimated seconds until admission, as a band; absent while nothing was measured. */
    wait: optional(struct({ lowSeconds: uint(), highSeconds: uint() })),
  }),
  admitted: message(0x44, { requestId: answeredId, deadline: instant, now: instant }),
  outside: message(0x45, { requestId: answeredId, reason: oneOf(outsideReasonNumbers) }),
  snapshot: message(0x46, { section, epoch, sequence, statuses: bytes(SECTION_BYTES_MAX) }),
  delta: message(0x47, { section, sequence, changes: bytes(SECTION_BYTES_MAX) }),
  summary: message(0x48, { sections: bytes(SECTION_BYTES_MAX) }),
  hold: message(0x49, {
    requestId: answeredId,
    holdToken,
    seats,
    expiresAt: instant,
    now: instant,
    extensionsLeft: uint(UINT32_MAX),
    /** The order that is paying for these seats; null unless `payment` is accepted. */
    orderId: optional(text(ORDER_ID_LENGTH_MAX, 1)),
    payment: oneOf(paymentStageNumbers),
    revision,
  }),
  'hold-ended': message(0x4a, {
    requestId: answeredId,
    holdToken,
    seats,
    reason: oneOf(holdEndReasonNumbers),
    revision,
  }),
  order: message(0x4b, { requestId: answeredId, order }),
  orders: message(0x4c, { requestId: answeredId, orders: list(order, ORDERS_LISTED_MAX) }),
  refused: message(0x4d, {
    requestId: answeredId,
    code: oneOf(refusalCodes),
    /** The seats that stood in the way, for `seat-taken` and `seat-unknown`. */
    seats: list(seat, SEATS_PER_REQUEST_MAX),
    /** For developers: which field, which bound. Interfaces word their own texts from `code`. */
    detail: text(DETAIL_LENGTH_MAX),
    /** When trying again makes sense, in milliseconds from now; 0 where it depends on something else. */
    retryAfterMs: uint(),
  }),
  done: message(0x4e, { requestId: answeredId }),
  pong: message(0x4f, { requestId: answeredId, now: instant }),
  /** This server is about to close; reconnect within `spreadMs`, at a random moment of it. */
  moving: message(0x50, { spreadMs: uint(UINT32_MAX) }),
  /** A new place: its receipt brings it back should the server lose it. */
  place: message(0x51, { receipt: text(RECEIPT_LENGTH_MAX, 1) }),
} as const;

type MessageOf<Table> = {
  [Type in keyof Table]: Table[Type] extends { readonly fields: infer F }
    ? { readonly type: Type } & FieldValues<F>
    : never;
}[keyof Table];

export type ClientMessage = MessageOf<typeof clientMessages>;
export type ServerMessage = MessageOf<typeof serverMessages>;
export type ClientMessageOf<Type extends ClientMessage['type']> = Extract<ClientMessage, { type: Type }>;
export type ServerMessageOf<Type extends ServerMessage['type']> = Extract<ServerMessage, { type: Type }>;

/** An order as it travels; also what `orders` lists. */
export type OrderMessage = ServerMessageOf<'order'>['order'];
