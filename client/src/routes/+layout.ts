import { browser } from '$app/env';
import { Locale } from '#lib/i18n/locale.svelte.ts';
import type { LayoutLoad } from './$types';

export const prerender = true;

/** The page waits for its words, so that nobody sees it change its language. */
export const load: LayoutLoad = async () => ({
  locale: await (browser ? Locale.ofBrowser() : Locale.inEnglish()),
});
