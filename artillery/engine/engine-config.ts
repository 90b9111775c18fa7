import { z } from 'zod';

/** Which show the buyers come for, and through which gateways. */
export interface EngineConfig {
  readonly servers: readonly [URL, ...URL[]];
  /** The show's number, or part of its title or venue. */
  readonly show: string;
  /** So many seats must be free before the scenario makes sense. */
  readonly freeSeats: number;
}

const address = z.url({ protocol: /^https?$/ }).transform((text) => new URL(new URL(text).origin));

/** `config.engines.stampede` of a scenario. */
export const engineOptions = z.strictObject({
  show: z.string().min(1),
  freeSeats: z.int().min(0).default(0),
  /** Gateways besides Artillery's one `target`; buyers spread over all that are here. */
  servers: z.array(address).min(1).optional(),
});

const script = z.object({
  config: z.object({ target: address, engines: z.object({ stampede: engineOptions }) }),
});

/**
 * Reads what concerns this engine from the script that Artillery hands over.
 * @throws ZodError naming what can't be read
 */
export function parseEngineConfig(given: unknown): EngineConfig {
  const { target, engines } = script.parse(given).config;
  const { show, freeSeats, servers } = engines.stampede;
  const [first = target, ...more] = servers ?? [];
  return { servers: [first, ...more], show, freeSeats };
}
