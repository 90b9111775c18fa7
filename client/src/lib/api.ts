import type {
  ErrorBody,
  RecoveryCode,
  ShowDetail,
  ShowLayout,
  ShowList,
} from '@stampede/shared/protocol/http.ts';

/** Longer than this and the buyer is better served by an error with a button than by a spinner. */
const TIMEOUT_MS = 10_000;

/** What the server, or the way to it, answered instead of data. `status` 0: no answer at all. */
export interface ApiFailure {
  readonly status: number;
  readonly code: string;
  readonly traceId: string;
}

export type ApiAnswer<T> =
  { readonly ok: true; readonly body: T } | { readonly ok: false; readonly failure: ApiFailure };

/** The part of `fetch` that is needed: SvelteKit hands its own to `load`. */
type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** Where no answer came. */
export const UNREACHABLE: ApiFailure = { status: 0, code: 'unreachable', traceId: '' };

async function failureOf(response: Response): Promise<ApiFailure> {
  const body = (await response.json().catch(() => ({}))) as Partial<ErrorBody>;
  return {
    status: response.status,
    code: typeof body.code === 'string' ? body.code : 'unexpected',
    traceId: typeof body.traceId === 'string' ? body.traceId : (response.headers.get('trace-id') ?? ''),
  };
}

async function send(path: string, init: RequestInit, fetcher: Fetch): Promise<ApiAnswer<Response>> {
  try {
    const body = await fetcher(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return body.ok ? { ok: true, body } : { ok: false, failure: await failureOf(body) };
  } catch {
    return { ok: false, failure: UNREACHABLE };
  }
}

/**
 * The bodies are our own server's, of the same release as this page, and typed in `shared`; what is checked here
 * is that an answer is one: a proxy's HTML page must not pass for a list of shows.
 */
async function get<T>(path: string, fetcher: Fetch = fetch): Promise<ApiAnswer<T>> {
  const answer = await send(path, {}, fetcher);
  if (!answer.ok) return answer;
  const body: unknown = await answer.body.json().catch(() => undefined);
  if (typeof body === 'object' && body !== null) return { ok: true, body: body as T };
  return { ok: false, failure: { status: answer.body.status, code: 'unexpected', traceId: '' } };
}

/** Every show on offer. */
export const fetchShows = () => get<ShowList>('/api/shows');

/** One show with its prices and rules; status 404 where there is no such show. */
export const fetchShow = (id: number, fetcher?: Fetch) => get<ShowDetail>(`/api/shows/${id}`, fetcher);

/** Where a show's seats are; the browser keeps it, since it never changes. */
export const fetchLayout = (id: number, fetcher?: Fetch) =>
  get<ShowLayout>(`/api/shows/${id}/layout`, fetcher);

/**
 * Makes sure this browser has a buyer session: the server answers with the running one while its cookie is valid,
 * and sets a new one otherwise.
 */
export const ensureSession = () =>
  send('/api/sessions', { method: 'POST', credentials: 'same-origin' }, fetch);

/** The code that brings this buyer's tickets back (rule 10.6); null where it can't be had now. */
export async function fetchRecoveryCode(): Promise<string | null> {
  const answer = await get<RecoveryCode>('/api/recoveries');
  return answer.ok ? answer.body.code : null;
}

/** Makes this browser the buyer's whose code it is (rule 10.7). */
export function recover(code: string): Promise<ApiAnswer<Response>> {
  const headers = { 'Content-Type': 'application/json' };
  return send('/api/recoveries', { method: 'POST', headers, body: JSON.stringify({ code }) }, fetch);
}
