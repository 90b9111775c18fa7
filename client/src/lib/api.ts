import type { ErrorBody, ShowDetail, ShowLayout, ShowList } from '@stampede/shared/protocol/http.ts';

/** Longer than this and the buyer is better served by an error with a button than by a spinner. */
const TIMEOUT_MS = 10_000;

/** What the server, or the way to it, answered instead of data. `status` 0: no answer at all. */
export interface ApiFailure {
  readonly status: number;
  readonly code: string;
  readonly traceId: string;
}

/** A call that brought no data. */
export class ApiError extends Error {
  readonly failure: ApiFailure;

  constructor(failure: ApiFailure, cause?: unknown) {
    super(`${failure.code} (${failure.status})`, { cause });
    this.failure = failure;
  }
}

/** The part of `fetch` this module needs: SvelteKit hands its own to `load`. */
export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

async function failureOf(response: Response): Promise<ApiFailure> {
  const body = (await response.json().catch(() => ({}))) as Partial<ErrorBody>;
  return {
    status: response.status,
    code: typeof body.code === 'string' ? body.code : 'unexpected',
    traceId: typeof body.traceId === 'string' ? body.traceId : (response.headers.get('trace-id') ?? ''),
  };
}

/** Throws `ApiError` where there is no good answer. */
export async function send(fetcher: Fetch, path: string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetcher(path, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (cause) {
    throw new ApiError({ status: 0, code: 'unreachable', traceId: '' }, cause);
  }
  if (!response.ok) throw new ApiError(await failureOf(response));
  return response;
}

/**
 * The bodies are our own server's, of the same release as this page, and typed in `shared`; what is checked here
 * is that an answer is one: a proxy's HTML page must not pass for a list of shows.
 */
export async function get(fetcher: Fetch, path: string): Promise<unknown> {
  const response = await send(fetcher, path);
  const body: unknown = await response.json().catch(() => undefined);
  if (typeof body !== 'object' || body === null) {
    throw new ApiError({ status: response.status, code: 'unexpected', traceId: '' });
  }
  return body;
}

/** Every show on offer. Throws `ApiError`. */
export async function fetchShows(fetcher: Fetch): Promise<ShowList> {
  return (await get(fetcher, '/api/shows')) as ShowList;
}

/** One show with its prices and rules. Throws `ApiError`, status 404 where there is no such show. */
export async function fetchShow(fetcher: Fetch, id: number): Promise<ShowDetail> {
  return (await get(fetcher, `/api/shows/${id}`)) as ShowDetail;
}

/** Where a show's seats are; the browser keeps it, since it never changes. Throws `ApiError`. */
export async function fetchLayout(fetcher: Fetch, id: number): Promise<ShowLayout> {
  return (await get(fetcher, `/api/shows/${id}/layout`)) as ShowLayout;
}

/**
 * Makes sure this browser has a buyer session: the server answers with the running one while its cookie is valid,
 * and sets a new one otherwise. Throws `ApiError`.
 */
export async function ensureSession(fetcher: Fetch): Promise<void> {
  await send(fetcher, '/api/sessions', { method: 'POST', credentials: 'same-origin' });
}
