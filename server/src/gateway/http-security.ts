import { createHash } from 'node:crypto';

/** What every answer says, whatever it is. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
};

/** The content policy of everything that is not a page: as a document it may do nothing. */
export const NO_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'";

/** The content policy of the service worker, which is a script of its own and fetches what the pages may fetch. */
export const WORKER_POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'";

const INLINE_SCRIPT = /<script(?<attributes>[^>]*)>(?<source>[\s\S]*?)<\/script>/gi;

/**
 * The content policy of a page: our own files, and exactly the inline scripts that it was built with, by their
 * hashes. Style attributes are allowed, because interface libraries position things with them. The section feed's
 * socket counts as `'self'`.
 */
export function pagePolicy(html: string): string {
  const hashes = Array.from(html.matchAll(INLINE_SCRIPT))
    .filter(({ groups }) => !/\bsrc\s*=/i.test(groups?.['attributes'] ?? ''))
    .map(({ groups }) =>
      createHash('sha256')
        .update(groups?.['source'] ?? '')
        .digest('base64'),
    )
    .map((hash) => `'sha256-${hash}'`);
  return [
    "default-src 'none'",
    ["script-src 'self'", ...hashes].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}
