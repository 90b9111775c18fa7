import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defineScript, ScriptError } from './lua-script.ts';
import { unpack } from './redis-packing.ts';

/** Stands for a server: notes what it was sent and answers what it is told to. */
class RecordingRedis {
  readonly calls: readonly unknown[][] = [];
  readonly #answers: readonly (string | Error)[];

  constructor(...answers: readonly (string | Error)[]) {
    this.#answers = answers;
  }

  async callBuffer(...call: unknown[]): Promise<unknown> {
    const answer = this.#answers[this.calls.length];
    (this.calls as unknown[][]).push(call);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  /** The script only calls `callBuffer`. */
  get redis(): Redis {
    return this as unknown as Redis;
  }
}

describe('lua script', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'stampede-lua-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  const file = (name: string, text: string): URL => {
    writeFileSync(join(directory, name), text);
    return pathToFileURL(join(directory, name));
  };
  const define = (text: string) =>
    defineScript<readonly (string | number | Uint8Array)[], string>(file('do-it.lua', text), String);
  /** The text that a server gets which doesn't know the script. */
  const textOf = async (text: string): Promise<unknown> => {
    const server = new RecordingRedis(new Error('NOSCRIPT No matching script'), 'done');
    await define(text).run(server.redis, (key) => key);
    return server.calls[1]?.[1];
  };

  it('sends the hash, and the text only to a server that does not know it', async () => {
    const script = define('-- KEYS: seats hold-owners\nreturn 1');
    const knowing = new RecordingRedis('done');
    expect(await script.run(knowing.redis, (key) => `k:${key}`, 7, 'x')).toBe('done');
    const [call] = knowing.calls;
    expect(call?.slice(0, 5)).toEqual(['EVALSHA', expect.any(String), 2, 'k:seats', 'k:hold-owners']);
    expect(unpack(call?.[5])).toEqual([7, 'x']);

    const other = new RecordingRedis(new Error('NOSCRIPT No matching script'), 'done');
    expect(await script.run(other.redis, (key) => key, 7)).toBe('done');
    expect(other.calls.map(([command]) => command)).toEqual(['EVALSHA', 'EVAL']);
    expect(other.calls[1]?.slice(2)).toEqual(other.calls[0]?.slice(2));
  });

  it('tries once when anything else goes wrong: nobody knows whether it ran', async () => {
    const server = new RecordingRedis(new Error('Command timed out'), 'done');
    const failure = define('-- KEYS: seats hold-owners').run(server.redis, (key) => key);
    await expect(failure).rejects.toThrow(ScriptError);
    await expect(failure).rejects.toThrow('Redis script do-it: Command timed out');
    expect(server.calls).toHaveLength(1);
  });

  it('sends bytes as arguments of their own, behind the packed ones', async () => {
    const server = new RecordingRedis('done');
    await define('-- KEYS: seats hold-owners').run(server.redis, (key) => key, 1, Uint8Array.of(200, 0), 2);
    const [, , , , , packed, bytes] = server.calls[0] ?? [];
    expect(unpack(packed)).toEqual([1, 2]);
    expect(bytes).toEqual(Buffer.from([200, 0]));
  });

  it('puts numbers in the place of names', async () => {
    const text = '-- KEYS: seats hold-owners\nreturn { KEY.hold_owners, KEY.seats, REFUSED.seat_taken }';
    expect(await textOf(text)).toContain('return { KEYS[2], KEYS[1], -11 }');
  });

  it('includes a file once, and what that includes', async () => {
    file('one.lua', '-- include: other.lua\nlocal one = 1');
    file('other.lua', 'local other = KEY.seats');
    const text = '-- KEYS: seats\n-- include: other.lua\n-- include: one.lua\nreturn one';
    expect(await textOf(text)).toBe('-- KEYS: seats\nlocal other = KEYS[1]\n\nlocal one = 1\nreturn one');
  });

  it.each([
    ['no header', 'return 1', 'names no keys'],
    ['a key that the header does not name', '-- KEYS: seats hold-owners\nreturn KEY.feed', 'KEY.feed'],
    ['a refusal that there is not', '-- KEYS: seats hold-owners\nreturn REFUSED.maybe', 'no refusal maybe'],
    ['an include that is not there', '-- KEYS: seats hold-owners\n-- include: gone.lua', 'gone.lua'],
  ])('fails when it is defined with %s', (_, text, message) => {
    expect(() => define(text)).toThrow(message);
  });
});
