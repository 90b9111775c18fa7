declare const brand: unique symbol;

/** A number or string that can't be mistaken for another kind of id. */
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** Positive 32-bit number of a show. */
export type ShowId = Branded<number, 'ShowId'>;
/** 128 random bits in base64url: one buyer, any number of tabs. Never shown to other buyers, never logged. */
export type SessionId = Branded<string, 'SessionId'>;
/** UUID of a session's idempotency key: the same wherever that key is used (`checkout/begin-checkout.ts`). */
export type OrderId = Branded<string, 'OrderId'>;
/** Rises by one per hold of a show; a smaller one is recognisably stale (a fencing token). */
export type HoldToken = Branded<number, 'HoldToken'>;
/** Keyed hash of a buyer's network: tells buyers of one apart from others, and nobody where they are. */
export type NetworkTag = Branded<string, 'NetworkTag'>;
/** `0…n-1` within its show. */
export type SeatIndex = number;

export const showId = (value: number): ShowId => value as ShowId;
export const sessionId = (value: string): SessionId => value as SessionId;
export const networkTag = (value: string): NetworkTag => value as NetworkTag;
export const orderId = (value: string): OrderId => value as OrderId;
export const holdToken = (value: number): HoldToken => value as HoldToken;
