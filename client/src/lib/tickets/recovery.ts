const FRAGMENT = '#recover=';

/** A link with the code where no server is sent it: in the fragment. */
export function recoveryLink(origin: string, code: string): string {
  return `${origin}/tickets${FRAGMENT}${code}`;
}

/** The code in a link's fragment; null where there is none. */
export function codeOfFragment(fragment: string): string | null {
  return fragment.startsWith(FRAGMENT) ? fragment.slice(FRAGMENT.length) : null;
}
