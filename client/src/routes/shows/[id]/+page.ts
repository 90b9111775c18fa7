import { error } from '@sveltejs/kit';
import { type ApiAnswer, fetchLayout, fetchShow } from '#lib/api.ts';
import type { PageLoad } from './$types';

// Shows come and go without a new build; the fallback page starts in the browser and asks the server.
export const prerender = false;
export const ssr = false;

const NO_ANSWER_STATUS = 503;

export const load: PageLoad = async ({ fetch, params }) => {
  const id = Number(params.id);
  if (!Number.isInteger(id) || id < 1) error(404, 'show-unknown');
  const [show, layout] = await Promise.all([fetchShow(id, fetch), fetchLayout(id, fetch)]);
  return { show: bodyOf(show), layout: bodyOf(layout) };
};

/** Leads to the error page where there is none. */
function bodyOf<T>(answer: ApiAnswer<T>): T {
  if (answer.ok) return answer.body;
  const { failure } = answer;
  error(failure.status || NO_ANSWER_STATUS, failure.code, { failure });
}
