/**
 * Bounds of the wire protocol [P7]. Both ends import them, and PROTOCOL.md states them as rules. Settings of a
 * deployment (rates, lifetimes, buyer's limit) are not here: they reach the client in `entered`.
 */

/** The WebSocket subprotocol; a number rises when old clients could no longer talk to new servers. */
export const SUBPROTOCOL = 'stampede.v1';

/** Bytes of one frame from a client; longer ones are answered `too-large`. */
export const FRAME_BYTES_MAX = 1_024;

/** Bytes of a frame from a client at which the server cuts the socket off without an answer. */
export const FRAME_BYTES_HARD_MAX = 16 * 1_024;

/** Seats in one `hold` or `release`; the buyer's limit of a show is lower. */
export const SEATS_PER_REQUEST_MAX = 32;

/** Sections one socket may watch at a time. */
export const SECTIONS_WATCHED_MAX = 64;

/** Seats of one show, sections of one show. */
export const SEATS_PER_SHOW_MAX = 200_000;
export const SECTIONS_PER_SHOW_MAX = 1_024;

/** Orders in one `orders` answer, newest first. */
export const ORDERS_LISTED_MAX = 100;

/** Characters of an idempotency key: enough for a UUID, too few to store a novel. */
export const IDEMPOTENCY_KEY_LENGTH_MIN = 8;
export const IDEMPOTENCY_KEY_LENGTH_MAX = 64;

/** Payments of one hold: each gives it the time back that was left, so that without a bound it would never end. */
export const CHECKOUTS_PER_HOLD_MAX = 8;

/** Characters of a bearer (the signed session). */
export const BEARER_LENGTH_MAX = 256;

/** Characters of a place's receipt. */
export const RECEIPT_LENGTH_MAX = 160;

/** Open sockets of one session at one server, before another is closed as `too-many-sockets`. */
export const SOCKETS_PER_SESSION_MAX = 32;

/** How long a socket may live without a session, in milliseconds. */
export const AUTHENTICATION_TIMEOUT_MS = 5_000;

/** A client that heard nothing for this long pings; after the same time again it reconnects. */
export const SILENCE_BEFORE_PING_MS = 15_000;

/** The same while somebody looks at live seats. */
export const SILENCE_IN_VIEW_MS = 1_500;

/** A ping without an answer for this long: what is shown is no longer live. */
export const PING_ANSWER_MS = 1_250;

/** How often a watching client tells which sequences it has applied. */
export const ACKNOWLEDGE_INTERVAL_MS = 2_000;

/** Frames of one socket that came too fast, before it is closed as a protocol violation. */
export const OVERHASTY_FRAMES_MAX = 1_000;

/** Refused frames on one socket before it is closed as a protocol violation. */
export const MALFORMED_FRAMES_MAX = 8;
