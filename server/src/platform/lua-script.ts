import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { pack, type Packed, refusalConstants } from './redis-packing.ts';
import type { RedisClient } from './redis.ts';

const INCLUDE = /^-- include: (\S+)$/gm;
const HEADER_KEYS = /^-- KEYS: (.+)$/m;
const KEY_NAME = /\bKEY\.([a-z_]+)/g;
const REFUSED_NAME = /\bREFUSED\.([a-z_]+)/g;
const NO_SCRIPT = 'NOSCRIPT';

type Argument = Packed | Uint8Array;

/** A script that failed for other reasons than a refusal: Redis is away, or the script is wrong. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
}

/** One atomic step in Redis. */
export interface LuaScript<Args extends readonly Argument[], Reply> {
  /**
   * Runs the step once, or not at all. `keyOf` says what a key of the script is called in Redis. A node that doesn't know
   * the script has run nothing of it and gets the text, in the middle of a pipeline as well: each of our calls is answered
   * for itself. Throws `ScriptError`; after a lost connection or a timeout nobody knows whether it ran.
   */
  run(redis: RedisClient, keyOf: (key: string) => string, ...args: Args): Promise<Reply>;
}

/**
 * Defines a script by its `.lua` file, whose header says purpose, KEYS, ARGV and reply. The text is put together once:
 * - `-- include: ../file.lua` is replaced by that file, so that scripts share functions;
 * - `KEY.hold_owners` becomes the `KEYS[n]` of `hold-owners` in the header's line `-- KEYS:`, `REFUSED.seat_taken` the
 *   number of that refusal: names cost nothing at run time, and a wrong one fails when the process starts.
 * Arguments travel as one MessagePack list, ARGV[1]; but bytes, which Redis's cmsgpack doesn't know, as ARGV[2], ….
 * @param reply reads the script's reply, which comes as Redis types with bytes for texts
 */
export function defineScript<Args extends readonly Argument[], Reply>(
  file: URL,
  reply: (raw: unknown) => Reply,
): LuaScript<Args, Reply> {
  const source = withIncludes(file, new Set());
  const keys = HEADER_KEYS.exec(source)?.[1]?.trim().split(' ') ?? [];
  if (keys.length === 0) throw new Error(`${file.pathname}: the header names no keys`);
  const text = withNumbers(file, source, keys);
  const sha = createHash('sha1').update(text).digest('hex');
  return {
    async run(redis, keyOf, ...args) {
      const bytes = args.filter((arg) => arg instanceof Uint8Array);
      const packed = pack(args.filter((arg): arg is Packed & Args[number] => !(arg instanceof Uint8Array)));
      const rest = [keys.length, ...keys.map(keyOf), packed, ...bytes.map((one) => Buffer.from(one))];
      try {
        const raw = await redis.callBuffer('EVALSHA', sha, ...rest).catch((cause: unknown) => {
          if (!messageOf(cause).startsWith(NO_SCRIPT)) throw cause;
          return redis.callBuffer('EVAL', text, ...rest);
        });
        return reply(raw);
      } catch (cause) {
        throw new ScriptError(`Redis script ${basename(file.pathname, '.lua')}: ${messageOf(cause)}`, {
          cause,
        });
      }
    },
  };
}

/** Numbers in the place of names. */
function withNumbers(file: URL, source: string, keys: readonly string[]): string {
  return source
    .replaceAll(KEY_NAME, (_, name: string) => {
      const index = keys.indexOf(name.replaceAll('_', '-'));
      if (index < 0) throw new Error(`${file.pathname} uses KEY.${name}, which its header does not name`);
      return `KEYS[${index + 1}]`;
    })
    .replaceAll(REFUSED_NAME, (_, name: string) => {
      const number = refusalConstants.get(name);
      if (number === undefined) throw new Error(`${file.pathname}: there is no refusal ${name}`);
      return String(number);
    });
}

/** The text of a file with each included file in its place, once. */
function withIncludes(file: URL, included: Set<string>): string {
  included.add(file.href);
  return readFileSync(file, 'utf8').replaceAll(INCLUDE, (_, path: string) => {
    const other = new URL(path, file);
    return included.has(other.href) ? '' : withIncludes(other, included);
  });
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
