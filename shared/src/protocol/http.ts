import type { Phase } from './messages.ts';
import type { VenueLayout } from '../seat-map/venue-layout.ts';

/**
 * Bodies of the HTTP interface. Instants are ISO 8601 in UTC, amounts are minor units of `currency`.
 */
export interface ShowSummary {
  readonly id: number;
  readonly title: string;
  readonly subtitle: string;
  readonly venue: string;
  readonly city: string;
  readonly startsAt: string;
  /** Of the clocks at the venue, an IANA name: in this zone the visitors read when the show starts. */
  readonly timeZone: string;
  readonly phase: Phase;
  /** When the waiting room lets people in without rank, and when selling begins. */
  readonly lobbyAt: string;
  readonly opensAt: string;
  readonly seatCount: number;
  readonly freeSeats: number;
  /** ISO 4217. */
  readonly currency: string;
  readonly priceFrom: number;
  readonly priceTo: number;
}

/** `GET /api/shows`. */
export type ShowList = readonly ShowSummary[];

/** `GET /api/shows/{id}`. */
export interface ShowDetail extends ShowSummary {
  readonly description: string;
  readonly priceLevels: readonly PriceLevel[];
  readonly seatsPerBuyer: number;
  readonly holdLifetimeMs: number;
  /** Hex SHA-256 of the seed of the draw: published before, so that the draw can be checked after. */
  readonly drawCommitment: string;
  /** The seed itself, hex, once the on-sale has opened. */
  readonly drawSeed: string | null;
}

export interface PriceLevel {
  readonly name: string;
  readonly amount: number;
}

/** `GET /api/shows/{id}/layout`: never changes for a show, so it may be cached for long. */
export interface ShowLayout {
  readonly show: number;
  readonly layout: VenueLayout;
  readonly priceLevels: readonly PriceLevel[];
}

/** `GET /api/shows/{id}/seats`: every seat's status at one moment. */
export interface ShowSeats {
  readonly show: number;
  readonly epoch: number;
  readonly sections: readonly SectionSeats[];
}

export interface SectionSeats {
  readonly name: string;
  readonly seatCount: number;
  readonly free: number;
  readonly sequence: number;
  /** Base64 of the packed statuses (PROTOCOL.md rule 5.2). */
  readonly statuses: string;
}

/** `POST /api/sessions` and `POST /api/recoveries` of a browser, whose cookie is set (PROTOCOL.md rule 10.1). */
export interface SessionOpened {
  /** What the session is called in the draw; it opens nothing (PROTOCOL.md rule 12.2). */
  readonly id: string;
  readonly expiresAt: string;
}

/** The same for a client that is no browser and asked for its bearer (PROTOCOL.md rule 10.2). */
export interface BearerOpened extends SessionOpened {
  readonly bearer: string;
}

/** `GET /api/recoveries`: what brings a buyer's tickets back on another device (PROTOCOL.md rule 10.6). */
export interface RecoveryCode {
  readonly code: string;
}

/** Every error, whatever its status. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly traceId: string;
}
