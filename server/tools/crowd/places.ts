import type { LedgerPlace } from './ledger-reading.ts';
import { readStackEnvironment, STACK_FOLDER } from '../stack/stack-environment.ts';
import { notAllowed, TaskError } from '../tasks/task.ts';

const SERVER_PORT = '8083';

/** The options that say where a server and its database are. */
export const PLACE_OPTIONS = {
  url: { type: 'string', multiple: true },
  data: { type: 'string' },
  database: { type: 'string' },
  'allow-remote': { type: 'boolean' },
} as const;

export interface Places {
  /** Scheme, host and port of each gateway; buyers spread over them. */
  readonly servers: readonly [URL, ...URL[]];
  /** Where the server's database may be; the first that knows the show is it. */
  readonly ledgers: readonly LedgerPlace[];
}

interface GivenPlaces {
  readonly url?: readonly string[];
  readonly database?: string;
  readonly data?: string;
  readonly 'allow-remote'?: boolean;
}

/** What a task is told besides its command line. */
export interface TaskSurroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** That of `npm run stack`. */
  readonly stackDatabase: string | null;
}

/** Those of this process. */
export function taskSurroundings(): TaskSurroundings {
  const stackDatabase = readStackEnvironment(STACK_FOLDER)?.['DATABASE_URL'] ?? null;
  return { environment: process.env, stackDatabase };
}

/** @throws TaskError naming what can't be used, or another machine that nobody allowed */
export function readPlaces(given: GivenPlaces, surroundings: TaskSurroundings): Places {
  const { environment } = surroundings;
  const [first, ...more] = given.url ?? [`http://127.0.0.1:${environment['PORT'] ?? SERVER_PORT}`];
  const servers = [readServer(first ?? ''), ...more.map(readServer)] as const;
  const remote = servers.find((server) => !isLoopback(server));
  if (remote && !given['allow-remote']) {
    throw new TaskError(
      `--url: ${remote.host} is another machine. A crowd is a load test: add --allow-remote if that server is yours.`,
    );
  }
  return { servers, ledgers: ledgerPlaces(given, surroundings) };
}

/** What was named is the one; where nothing was, everywhere that a server of this checkout may keep its orders. */
function ledgerPlaces(
  given: GivenPlaces,
  { environment, stackDatabase }: TaskSurroundings,
): readonly LedgerPlace[] {
  const mysql = (url: string, name: string): LedgerPlace => ({ kind: 'mysql', url, name });
  const sqlite = (dataDir: string): LedgerPlace => ({ kind: 'sqlite', dataDir });
  if (given.database !== undefined) return [mysql(given.database, '--database')];
  if (given.data !== undefined) return [sqlite(given.data)];
  const url = environment['DATABASE_URL'];
  if (url) return [mysql(url, 'DATABASE_URL')];
  const own = sqlite(environment['DATA_DIR'] ?? '.data');
  return stackDatabase === null ? [own] : [own, mysql(stackDatabase, 'npm run stack')];
}

/** Whether load sent to this server stays on this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return (
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    hostname === '[::1]' ||
    /^127(\.\d{1,3}){3}$/.test(hostname)
  );
}

function readServer(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isServer = url && /^https?:$/.test(url.protocol) && url.hostname !== '' && url.username === '';
  if (!isServer) throw notAllowed('--url', text, 'an address such as http://127.0.0.1:8083');
  return new URL(url.origin);
}
