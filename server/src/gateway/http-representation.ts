import { createHash } from 'node:crypto';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** Content codings we have, best first. */
const CODINGS = ['br', 'gzip'] as const;
export type Coding = (typeof CODINGS)[number];

/** Below this a coding saves less than its headers cost. */
const CODED_BYTES_MIN = 512;
const ETAG_BYTES = 16;

/** How hard to compress: once for content that stays, or again and again for content that lives for a second. */
export type Effort = 'lasting' | 'passing';
const QUALITY: Readonly<Record<Effort, number>> = { lasting: 9, passing: 4 };

/** Content as it is sent: encoded once, compressed once per coding, named by a hash of itself. */
export interface Representation {
  readonly type: string;
  /** Weak, because one tag stands for the plain and the compressed bytes alike. */
  readonly etag: string;
  readonly plain: Uint8Array;
  /** The bytes in a coding; undefined where there is nothing to gain. */
  coded(coding: Coding): Uint8Array | undefined;
}

/** The `ETag` of some bytes. */
export function etagOf(bytes: Uint8Array): string {
  return `W/"${createHash('sha256').update(bytes).digest('base64url').slice(0, ETAG_BYTES)}"`;
}

/** JSON that is compressed when first asked for. */
export class JsonRepresentation implements Representation {
  readonly type = 'application/json; charset=utf-8';
  readonly etag: string;
  readonly plain: Uint8Array;
  readonly #effort: Effort;
  readonly #coded = new Map<Coding, Uint8Array>();

  constructor(value: unknown, effort: Effort) {
    this.plain = Buffer.from(JSON.stringify(value));
    this.etag = etagOf(this.plain);
    this.#effort = effort;
  }

  coded(coding: Coding): Uint8Array | undefined {
    if (this.plain.length < CODED_BYTES_MIN) return undefined;
    const known = this.#coded.get(coding);
    if (known) return known;
    const bytes = compress(this.plain, coding, this.#effort);
    this.#coded.set(coding, bytes);
    return bytes;
  }
}

/**
 * JSON of something that changes all the time, made anew at most once per `ageMsMax` however many ask: under a
 * stampede the cost of an answer is that of sending it.
 */
export class PassingJson {
  readonly #make: () => unknown;
  readonly #ageMsMax: number;
  #madeAt = Number.NEGATIVE_INFINITY;
  #current: JsonRepresentation | null = null;

  constructor(ageMsMax: number, make: () => unknown) {
    this.#ageMsMax = ageMsMax;
    this.#make = make;
  }

  at(now: number): Representation {
    const current = this.#current;
    // Made in the future: the clock was set back, and how old it is nobody knows.
    const isYoung = now >= this.#madeAt && now - this.#madeAt < this.#ageMsMax;
    if (current && isYoung) return current;
    const made = new JsonRepresentation(this.#make(), 'passing');
    this.#madeAt = now;
    // Unchanged content keeps its compressed bytes.
    this.#current = made.etag === current?.etag ? current : made;
    return this.#current;
  }
}

function compress(bytes: Uint8Array, coding: Coding, effort: Effort): Uint8Array {
  if (coding === 'gzip') return gzipSync(bytes, { level: QUALITY[effort] });
  return brotliCompressSync(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: QUALITY[effort],
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}

/** The codings a client takes by its `Accept-Encoding`, best first (RFC 9110, 12.5.3). */
export function acceptedCodings(acceptEncoding: string): readonly Coding[] {
  if (acceptEncoding === '') return [];
  const weights = new Map<string, number>();
  for (const part of acceptEncoding.toLowerCase().split(',')) {
    const [name = '', ...parameters] = part.split(';').map((one) => one.trim());
    const weight = parameters.find((one) => one.startsWith('q='))?.slice('q='.length);
    weights.set(name, weight === undefined ? 1 : Number(weight) || 0);
  }
  return CODINGS.filter((coding) => (weights.get(coding) ?? weights.get('*') ?? 0) > 0);
}

/** Whether `If-None-Match` names this tag; compared weakly, as it must be (RFC 9110, 13.1.2). */
export function isKnownTag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch === '') return false;
  const bare = etag.replace(/^W\//, '');
  return ifNoneMatch.split(',').some((one) => {
    const tag = one.trim();
    return tag === '*' || tag.replace(/^W\//, '') === bare;
  });
}
