import { unpackStatuses } from '@stampede/shared/seat-map/seat-status.ts';
import { z } from 'zod';
import { CrowdError } from '../../server/tools/crowd/arguments.ts';
import { errorKind, httpCall } from '../../server/tools/crowd/sockets.ts';
import type { CrowdShow } from '../../server/tools/crowd/ticket-office.ts';

const STATUS_OK = 200;

const seatsAnswer = z.object({
  sections: z.array(z.object({ seatCount: z.int().min(0), statuses: z.base64() })),
});

/**
 * The status of each seat of a show as its server tells it now.
 * @throws CrowdError if the server can't be reached or talks of another show
 */
export async function readSeatStatuses(server: URL, { id, map }: CrowdShow): Promise<Uint8Array> {
  const path = `/api/shows/${id}/seats`;
  const { status, body } = await httpCall(new URL(path, server), { method: 'GET', source: null }).catch(
    (cause: unknown) => {
      throw new CrowdError(`--url: no server answers at ${server.origin} (${errorKind(cause)}).`, { cause });
    },
  );
  if (status !== STATUS_OK) {
    throw new CrowdError(`--url: ${server.origin}${path} answered with status ${status}.`);
  }
  const { sections } = seatsAnswer.parse(JSON.parse(body));
  const statuses = new Uint8Array(map.seatCount);
  for (const [index, { start, seatCount }] of map.sections.entries()) {
    const packed = Buffer.from(sections[index]?.statuses ?? '', 'base64');
    const unpacked = unpackStatuses(packed, seatCount);
    if (!unpacked) throw new CrowdError(`--url: ${server.origin} tells seats that don't fit their layout.`);
    statuses.set(unpacked, start);
  }
  return statuses;
}
