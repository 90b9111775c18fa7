import { error } from '@sveltejs/kit';
import { ApiError, fetchLayout, fetchShow } from '#lib/api.ts';
import type { PageLoad } from './$types';

// Shows come and go without a new build; the fallback page starts in the browser and asks the server.
export const prerender = false;
export const ssr = false;

const NO_ANSWER_STATUS = 503;

export const load: PageLoad = async ({ fetch, params }) => {
  const id = Number(params.id);
  if (!Number.isInteger(id) || id < 1) error(404, 'show-unknown');
  try {
    const [show, layout] = await Promise.all([fetchShow(fetch, id), fetchLayout(fetch, id)]);
    return { show, layout };
  } catch (cause) {
    if (!(cause instanceof ApiError)) throw cause;
    error(cause.failure.status || NO_ANSWER_STATUS, cause.failure.code, { failure: cause.failure });
  }
};
