/**
 * Whether a page of this origin may act for its visitor: only pages of the same host may, or exactly those listed.
 * Browsers always send `Origin` with sockets and with POST; its absence (empty) means no browser and no cookie
 * jar to abuse, so it is allowed. The opaque origin `null` is not.
 */
export function isOriginAllowed(origin: string, host: string, allowed: readonly string[]): boolean {
  if (origin === '') return true;
  if (allowed.length > 0) return allowed.includes(origin.toLowerCase());
  if (!URL.canParse(origin) || host === '') return false;
  const page = new URL(origin);
  return (page.protocol === 'http:' || page.protocol === 'https:') && sameHost(page, host);
}

/** Compares with default ports filled in, because `Host: example.com:443` and `https://example.com` are one. */
function sameHost(page: URL, host: string): boolean {
  const server = `${page.protocol}//${host}`;
  return URL.canParse(server) && new URL(server).host === page.host;
}
