import { z } from 'zod';
import { type Phase, phaseNumbers } from './messages.ts';
import type { VenueLayout } from '../seat-map/venue-layout.ts';

/*
 * Bodies of the HTTP interface: what the server declares in its OpenAPI document, and the types of both sides. The
 * client takes nothing but types from here, so that no schema gets into its bundle.
 */

const instant = z.iso.datetime().describe('ISO 8601 in UTC');
const amount = z.int().describe('In minor units of the currency');
const phases = Object.keys(phaseNumbers) as [Phase, ...Phase[]];

export const showSummary = z
  .object({
    id: z.int().positive(),
    title: z.string(),
    subtitle: z.string(),
    venue: z.string(),
    city: z.string(),
    startsAt: instant,
    timeZone: z
      .string()
      .describe('IANA name: the clocks at the venue, by which visitors read when it starts'),
    phase: z.enum(phases),
    lobbyAt: instant.describe('When the waiting room lets people in without rank'),
    opensAt: instant.describe('When selling begins'),
    seatCount: z.int(),
    freeSeats: z.int().describe('Available; those that are held do not count'),
    currency: z.string().describe('ISO 4217'),
    priceFrom: amount,
    priceTo: amount,
  })
  .meta({ id: 'ShowSummary' });
export type ShowSummary = z.infer<typeof showSummary>;

/** `GET /api/shows`. */
export const showList = z.array(showSummary).readonly();
export type ShowList = z.infer<typeof showList>;

export const priceLevel = z.object({ name: z.string(), amount }).meta({ id: 'PriceLevel' });
export type PriceLevel = z.infer<typeof priceLevel>;

/** `GET /api/shows/{id}`. */
export const showDetail = showSummary
  .extend({
    description: z.string(),
    priceLevels: z.array(priceLevel).readonly(),
    seatsPerBuyer: z.int(),
    holdLifetimeMs: z.int(),
    drawCommitment: z
      .string()
      .describe('Hex SHA-256 of the seed of the draw: known before, so that the draw can be checked after'),
    drawSeed: z.string().nullable().describe('The seed itself, hex, once the on-sale has opened'),
  })
  .meta({ id: 'ShowDetail' });
export type ShowDetail = z.infer<typeof showDetail>;

/** `GET /api/shows/{id}/layout`: never changes for a show, so it may be cached for long. */
export const showLayout = z.object({
  show: z.int(),
  /** The server knows the schema of its layouts (PROTOCOL.md rule 11.4) and declares it in this place. */
  layout: z.custom<VenueLayout>(),
  priceLevels: z.array(priceLevel).readonly(),
});
export type ShowLayout = z.infer<typeof showLayout>;

export const sectionSeats = z
  .object({
    name: z.string(),
    seatCount: z.int(),
    free: z.int(),
    sequence: z.int(),
    statuses: z.base64().describe('The packed statuses (PROTOCOL.md rule 5.2)'),
  })
  .meta({ id: 'SectionSeats' });
export type SectionSeats = z.infer<typeof sectionSeats>;

/** `GET /api/shows/{id}/seats`: every seat's status at one moment. */
export const showSeats = z
  .object({ show: z.int(), epoch: z.int(), sections: z.array(sectionSeats).readonly() })
  .meta({ id: 'ShowSeats' });
export type ShowSeats = z.infer<typeof showSeats>;

/** `POST /api/sessions` and `POST /api/recoveries` of a browser, whose cookie is set (PROTOCOL.md rule 10.1). */
export const sessionOpened = z
  .object({
    id: z
      .string()
      .describe('What the session is called in the draw; it opens nothing (PROTOCOL.md rule 12.2)'),
    expiresAt: instant,
  })
  .meta({ id: 'SessionOpened' });
export type SessionOpened = z.infer<typeof sessionOpened>;

/** The same for a client that is no browser and asked for its bearer (PROTOCOL.md rule 10.2). */
export const bearerOpened = sessionOpened.extend({ bearer: z.string() }).meta({ id: 'BearerOpened' });
export type BearerOpened = z.infer<typeof bearerOpened>;

/** `GET /api/recoveries`: what brings a buyer's tickets back on another device (PROTOCOL.md rule 10.6). */
export const recoveryCode = z.object({ code: z.string() }).meta({ id: 'RecoveryCode' });
export type RecoveryCode = z.infer<typeof recoveryCode>;

/** Every error, whatever its status. */
export const errorBody = z
  .object({ code: z.string(), message: z.string(), traceId: z.string() })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof errorBody>;
