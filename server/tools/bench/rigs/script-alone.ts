import { Redis } from 'ioredis';
import { sessionId, showId } from '../../../src/platform/ids.ts';
import { nextTurn } from '../../../src/platform/outside.ts';
import { showKey } from '../../../src/platform/redis-keys.ts';
import type { RedisClient } from '../../../src/platform/redis.ts';
import { RedisSeatStore } from '../../../src/seating/redis-seat-store.ts';
import { runChild } from '../../checks/child-process.ts';
import { findProgram } from '../../stack/programs.ts';
import { waitUntil } from '../../stack/wait-until.ts';
import { TaskError } from '../../tasks/task.ts';

const SHOW = showId(1);
/** Seats whose numbers take two bytes, and so lie at one place of the arguments. */
const FIRST_SEAT = 256;
const SEATS = 65_000;
/** Seats that are asked for to find that place, and a session whose end is a number as redis-benchmark writes them. */
const TRIAL_SEATS = [0x5a5b, 0x5c5d] as const;
const NUMBER = '888888888888';
const SESSION_START = 'bench-hold';
const RATE = /([\d.]+) requests per second/g;
const SESSIONS_PER_CALL = 5_000;
const LIFETIME_MS = 86_400_000;
const CONNECTIONS = 50;
const REST_WITHIN_MS = 60_000;

const RULES = {
  show: SHOW,
  seatCount: FIRST_SEAT + SEATS,
  sectionOf: new Uint16Array(FIRST_SEAT + SEATS),
  sectionCount: 1,
  seatsPerBuyer: 4,
  seatsPerNetwork: Infinity,
  holdLifetimeMs: LIFETIME_MS,
  extensionsMax: 1,
};

/** Calls of the hold script without anything around it, one seat a call, by redis-benchmark, in a Redis of its own. */
export class ScriptAlone {
  readonly #redis: Redis;
  readonly #program: string;

  /** @throws TaskError where redis-benchmark is missing */
  constructor(url: string) {
    const program = findProgram('redis-benchmark');
    if (program === undefined) {
      throw new TaskError('redis-benchmark is missing (Debian has it in redis-tools).');
    }
    this.#program = program;
    this.#redis = new Redis(url);
  }

  close(): void {
    this.#redis.disconnect();
  }

  /** Calls a second over so many calls, on seats that are all free before. */
  async measure(calls: number): Promise<number> {
    await this.#redis.flushall();
    await storeIn(this.#redis).open(RULES, { sold: [], checkouts: [] });
    for (let from = 0; from < SEATS; from += SESSIONS_PER_CALL) {
      const sessions = Array.from({ length: SESSIONS_PER_CALL }, (_, index) => String(from + index));
      const scored = sessions.flatMap((session) => [
        Date.now() + LIFETIME_MS,
        `${SESSION_START}${session.padStart(NUMBER.length, '0')}`,
      ]);
      await this.#redis.zadd(showKey(SHOW, 'admitted'), ...scored);
    }
    const { text, keys } = await holdOfAnySeat();
    const sha = String(await this.#redis.script('LOAD', text));
    const { host = '', port = 0, password = '' } = this.#redis.options;
    const server = ['-h', host, '-p', String(port), '-a', password];
    const load = ['-P', '1', '-c', String(CONNECTIONS), '-n', String(calls), '-r', String(SEATS), '-q'];
    const script = ['EVALSHA', sha, String(keys.length), ...keys, '__rand_int__', '__rand_int__'];
    const { code, output } = await runChild(this.#program, [...server, ...load, ...script], {
      output: 'keep',
    });
    const rate = [...output.matchAll(RATE)].at(-1)?.[1];
    if (code !== 0 || rate === undefined) throw new TaskError(`redis-benchmark failed: ${output.trim()}`);
    const held = Number(await this.#redis.hget(showKey(SHOW, 'meta'), 'fed'));
    if (!(held >= calls / 2)) throw new TaskError(`redis-benchmark took ${held} seats in ${calls} calls.`);
    await this.#rest();
    return Number(rate);
  }

  /** A log that is being rewritten in the background would slow down whatever is measured next. */
  async #rest(): Promise<void> {
    const isResting = async (): Promise<boolean> =>
      /aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0/.test(await this.#redis.info('persistence'));
    if (!(await waitUntil(isResting, REST_WITHIN_MS))) throw new TaskError('Redis does not come to rest.');
  }
}

const storeIn = (redis: RedisClient): RedisSeatStore =>
  new RedisSeatStore({ redis, outside: { nextTurn }, newEpoch: () => 1, onHistoryLost: () => undefined });

interface Sent {
  readonly text: string;
  readonly keys: readonly string[];
  readonly bytes: readonly Buffer[];
}

/**
 * The script as the server sends it, but with two numbers for arguments, a session's and a seat's, from which it makes
 * the ones that the server would send: redis-benchmark can say no others.
 */
async function holdOfAnySeat(): Promise<Pick<Sent, 'text' | 'keys'>> {
  const [one, other] = [await holdOf(TRIAL_SEATS[0]), await holdOf(TRIAL_SEATS[1])];
  const argv = one.bytes.map((bytes, index) => {
    const at = bytes.findIndex((byte, place) => byte !== other.bytes[index]?.[place]);
    if (at < 0) return luaString(bytes);
    const seat = bytes[at] === TRIAL_SEATS[0] >> 8 ? 'high, low' : 'low, high';
    return `${luaString(bytes.subarray(0, at))} .. string.char(${seat}) .. ${luaString(bytes.subarray(at + 2))}`;
  });
  const numbers = [
    'local session, seat = ARGV[1], tonumber(ARGV[2]) + ' + String(FIRST_SEAT),
    'local high, low = math.floor(seat / 256), seat % 256',
    `local ARGV = { ${argv.join(', ')} }`,
  ];
  return { text: [...numbers, one.text].join('\n'), keys: one.keys };
}

/** Bytes as Lua writes them, and the session's number in the place of the trial's. */
function luaString(bytes: Buffer): string {
  const at = bytes.indexOf(NUMBER);
  if (at >= 0) {
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + NUMBER.length)];
    return `${luaString(before)} .. session .. ${luaString(after)}`;
  }
  return `"${Array.from(bytes, (byte) => `\\${String(byte).padStart(3, '0')}`).join('')}"`;
}

/** What the store sends to hold this seat, caught on its way. */
async function holdOf(seat: number): Promise<Sent> {
  const sent: Sent[] = [];
  const catcher = {
    callBuffer(command: string, text: string, keyCount: number, ...rest: readonly (string | Buffer)[]) {
      if (command === 'EVALSHA') return Promise.reject(new Error('NOSCRIPT'));
      const bytes = rest.slice(keyCount).map((one) => Buffer.from(one));
      sent.push({ text, keys: rest.slice(0, keyCount).map(String), bytes });
      return Promise.resolve(null);
    },
  };
  const step = {
    kind: 'hold',
    session: sessionId(`${SESSION_START}${NUMBER}`),
    network: null,
    seats: [seat],
    prices: [5_000],
  } as const;
  // Running a script uses this one method of a client.
  await storeIn(catcher as unknown as RedisClient).take(RULES, [step]);
  const [caught] = sent;
  if (!caught) throw new Error('the hold script was not sent');
  return caught;
}
