import { AVAILABLE } from '@stampede/shared/seat-map/seat-status.ts';
import { httpCall } from '../../server/tools/shopper/sockets.ts';
import {
  type CrowdShow,
  findSharedShow,
  findShow,
  readSeatStatuses,
} from '../../server/tools/shopper/ticket-office.ts';
import type { LoadArguments } from './arguments.ts';
import type { Scenario } from './scenario-file.ts';
import { TaskError } from '../../server/tools/tasks/task.ts';

/** A sale that opens later than this is another time's. */
const OPENING_WAIT_MAX_MS = 5 * 60_000;
const OPENING_CHECK_MS = 5_000;
const STATUS_OK = 200;
const RESIDENT = /^(?:\w+_)?process_resident_memory_bytes(?:\{[^}]*\})? ([\d.e+]+)$/m;

/**
 * The show that a scenario plays at, open and with enough free seats. Waits for one that opens soon.
 * @throws TaskError or TaskError if there is none
 */
export async function findOpenShow(
  { scenario, servers, show: asked }: LoadArguments,
  { show: wanted, freeSeats }: Scenario,
  say: (line: string) => void,
): Promise<CrowdShow> {
  const [server] = servers;
  const show = await findSharedShow(servers, wanted);
  await waitForOpening(show, say);
  const { phase } = await findShow(server, String(show.id));
  const statuses = await readSeatStatuses(server, show);
  const free = statuses.reduce((sum, status) => sum + (status === AVAILABLE ? 1 : 0), 0);
  const isSelling = phase === 'open' && free >= freeSeats;
  if (isSelling) return show;
  const what = phase === 'open' ? `has ${free} free seats` : `is ${phase}`;
  throw new TaskError(
    `${scenario} needs ${freeSeats} free seats on sale, and "${show.title}" ${what}; ` +
      (asked === null
        ? 'take a server with a fresh catalogue, or name another show with --show.'
        : 'name another.'),
  );
}

async function waitForOpening({ title, opensAt }: CrowdShow, say: (line: string) => void): Promise<void> {
  const leftMs = (): number => opensAt - Date.now();
  if (leftMs() > OPENING_WAIT_MAX_MS) {
    const at = new Date(opensAt).toISOString();
    throw new TaskError(`--show: "${title}" opens at ${at}; name one that is on sale, or wait.`);
  }
  while (leftMs() > 0) {
    say(`"${title}" opens in ${Math.ceil(leftMs() / 1_000)} s …`);
    const pauseMs = Math.min(leftMs() + 1_000, OPENING_CHECK_MS);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Resident memory of each server's process in bytes; null where it doesn't tell. */
export async function residentBytes(servers: readonly URL[]): Promise<readonly (number | null)[]> {
  return Promise.all(
    servers.map(async (server) => {
      const answer = await httpCall(new URL('/metrics', server), { method: 'GET', source: null }).catch(
        () => null,
      );
      if (answer?.status !== STATUS_OK) return null;
      const [, bytes] = RESIDENT.exec(answer.body) ?? [];
      return bytes === undefined ? null : Number(bytes);
    }),
  );
}
