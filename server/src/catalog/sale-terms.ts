import { SEATS_PER_REQUEST_MAX } from '@stampede/shared/protocol/limits.ts';
import { z } from 'zod';
import type { SaleTerms } from './show.ts';

const count = z.int().min(0);

/** The terms of an on-sale as they are kept: in a row of the database, in the shared catalogue. */
export const saleTerms: z.ZodType<SaleTerms> = z.object({
  lobbyAt: count,
  opensAt: count,
  closesAt: count,
  admissionsPerSecond: z.number().min(0),
  // Less than one whole admission would let nobody in.
  admissionBurst: z.int().min(1),
  admittedMax: count,
  admissionLifetimeMs: count,
  // What one `hold` may name, and `entered` may tell.
  seatsPerBuyer: z.int().min(1).max(SEATS_PER_REQUEST_MAX),
  holdLifetimeMs: count,
  extensionsMax: count,
});
