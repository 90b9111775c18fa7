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

/** The one style attribute of SvelteKit's: its invisible announcer of page titles. A browser names the hash if it changes. */
const ANNOUNCER_STYLE = "'sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo='";

const INLINE_SCRIPT = /<script(?<attributes>[^>]*)>(?<source>[\s\S]*?)<\/script>/gi;

/**
 * The content policy of a page: our own files, and exactly the inline scripts that it was built with, by their
 * hashes. No style attribute in the text but SvelteKit's own one; what scripts position, they do through the style
 * object. Texts become elements or script addresses through the policies of Svelte and SvelteKit and the service
 * worker's only (Trusted Types). The section feed's socket counts as `'self'`.
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
    `style-src 'self' 'unsafe-hashes' ${ANNOUNCER_STYLE}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    'trusted-types svelte-trusted-html sveltekit-trusted-url stampede-worker-url',
  ].join('; ');
}
