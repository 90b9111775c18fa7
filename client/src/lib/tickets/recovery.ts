import type { RecoveryCode } from '@stampede/shared/protocol/http.ts';
import { ApiError, type ApiFailure, type Fetch, get, send } from '#lib/api.ts';

const PATH = '/api/recoveries';
const FRAGMENT = '#recover=';

/** The code that brings this buyer's tickets back (rule 10.6); null where it can't be had now. */
export async function fetchRecoveryCode(fetcher: Fetch): Promise<string | null> {
  try {
    return ((await get(fetcher, PATH)) as RecoveryCode).code;
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    return null;
  }
}

/** Makes this browser the buyer's whose code it is (rule 10.7); null, or why it is not. */
export async function recover(fetcher: Fetch, code: string): Promise<ApiFailure | null> {
  try {
    const headers = { 'Content-Type': 'application/json' };
    await send(fetcher, PATH, { method: 'POST', headers, body: JSON.stringify({ code }) });
    return null;
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    return cause.failure;
  }
}

/** A link with the code where no server is sent it: in the fragment. */
export function recoveryLink(origin: string, code: string): string {
  return `${origin}/tickets${FRAGMENT}${code}`;
}

/** The code in a link's fragment; null where there is none. */
export function codeOfFragment(fragment: string): string | null {
  return fragment.startsWith(FRAGMENT) ? fragment.slice(FRAGMENT.length) : null;
}
