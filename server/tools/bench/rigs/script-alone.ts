import { Redis } from 'ioredis';
import { showId } from '../../../src/platform/ids.ts';
import { keysOfShow, showKey, type ShowKey } from '../../../src/platform/redis-keys.ts';
import type { RedisClient } from '../../../src/platform/redis.ts';
import { holdSeats } from '../../../src/seating/redis-seat-scripts.ts';
import { RedisSeatStore } from '../../../src/seating/redis-seat-store.ts';
import { runChild } from '../../checks/child-process.ts';
import { findProgram } from '../../stack/find-program.ts';
import { waitUntil } from '../../stack/wait-until.ts';
import { BenchError } from '../bench-error.ts';

/** A show that no server sells. */
const SHOW = showId(999_999);
const UNPACKING = 'unpack(cmsgpack.unpack(ARGV[1]))';
const RATE = /([\d.]+) requests per second/g;
/** As redis-benchmark writes its random numbers. */
const DIGITS = 12;
const SESSIONS_PER_CALL = 5_000;
const LIFETIME_MS = 86_400_000;
const CONNECTIONS = 50;
const SEATS_PER_BUYER = 4;
const REST_WITHIN_MS = 60_000;

/** Calls of the hold script without anything around it, one seat a call, by redis-benchmark. */
export class ScriptAlone {
  readonly #redis: Redis;
  readonly #program: string;
  readonly #seatCount: number;
  #sha = '';
  #keys: readonly string[] = [];

  /** @throws BenchError where redis-benchmark is missing */
  constructor(url: string, seatCount: number) {
    const program = findProgram('redis-benchmark');
    if (program === undefined) {
      throw new BenchError('redis-benchmark is missing (Debian has it in redis-tools).');
    }
    this.#program = program;
    this.#seatCount = seatCount;
    this.#redis = new Redis(url);
  }

  /** Loads the script and admits as many sessions as there are seats. */
  async prepare(now: number): Promise<void> {
    const { text, keys } = await scriptText();
    const request = '{ { ARGV[1], false, { tonumber(ARGV[2]) }, { 5000 } } }';
    const terms = ['false', this.#seatCount, SEATS_PER_BUYER, this.#seatCount, LIFETIME_MS, 1, request].join(
      ', ',
    );
    if (!text.includes(UNPACKING)) throw new Error('the hold script takes its arguments in another way');
    this.#sha = String(await this.#redis.script('LOAD', text.replace(UNPACKING, terms)));
    this.#keys = keys;
    for (let from = 0; from < this.#seatCount; from += SESSIONS_PER_CALL) {
      const sessions = Array.from({ length: SESSIONS_PER_CALL }, (_, index) => String(from + index));
      const scored = sessions.flatMap((session) => [now + LIFETIME_MS, session.padStart(DIGITS, '0')]);
      await this.#redis.zadd(showKey(SHOW, 'admitted'), ...scored);
    }
  }

  /** Calls a second over so many calls, on seats that are all free before. */
  async measure(calls: number): Promise<number> {
    await this.#reopen();
    const { host = '', port = 0, password } = this.#redis.options;
    const script = [
      'EVALSHA',
      this.#sha,
      String(this.#keys.length),
      ...this.#keys,
      '__rand_int__',
      '__rand_int__',
    ];
    const load = [
      '-P',
      '1',
      '-c',
      String(CONNECTIONS),
      '-n',
      String(calls),
      '-r',
      String(this.#seatCount),
      '-q',
    ];
    const { code, output } = await runChild(
      this.#program,
      ['-h', host, '-p', String(port), '-a', password ?? '', ...load, ...script],
      { output: 'keep' },
    );
    const rate = [...output.matchAll(RATE)].at(-1)?.[1];
    if (code !== 0 || rate === undefined) throw new BenchError(`redis-benchmark failed: ${output.trim()}`);
    const held = Number(await this.#redis.hget(showKey(SHOW, 'meta'), 'fed'));
    if (held < calls / 2) throw new BenchError(`redis-benchmark took ${held} seats in ${calls} calls.`);
    await this.#rest();
    return Number(rate);
  }

  /** A log that is being rewritten in the background would slow down whatever is measured next. */
  async #rest(): Promise<void> {
    const isResting = async (): Promise<boolean> =>
      /aof_rewrite_in_progress:0[^]*aof_rewrite_scheduled:0/.test(await this.#redis.info('persistence'));
    if (!(await waitUntil(isResting, REST_WITHIN_MS))) throw new BenchError('Redis does not come to rest.');
  }

  close(): void {
    this.#redis.disconnect();
  }

  async #reopen(): Promise<void> {
    const used: readonly ShowKey[] = [
      'meta',
      'buyers',
      'hold-owners',
      'hold-deadlines',
      'feed',
      'checkpoint',
    ];
    await this.#redis.del(...used.map((key) => showKey(SHOW, key)));
    const store = new RedisSeatStore({
      redis: this.#redis,
      newEpoch: () => 1,
      onHistoryLost: () => undefined,
    });
    const rules = {
      show: SHOW,
      seatCount: this.#seatCount,
      sectionOf: new Uint16Array(this.#seatCount),
      sectionCount: 1,
      seatsPerBuyer: SEATS_PER_BUYER,
      seatsPerNetwork: Infinity,
      holdLifetimeMs: LIFETIME_MS,
      extensionsMax: 1,
    };
    await store.open(rules, { sold: [], checkouts: [] });
  }
}

/** The script as the server sends it: caught on its way. */
async function scriptText(): Promise<{ readonly text: string; readonly keys: readonly string[] }> {
  const sent: { text: string; keys: readonly string[] }[] = [];
  const catcher = {
    callBuffer(command: string, text: string, keyCount: number, ...rest: readonly unknown[]) {
      if (command === 'EVALSHA') return Promise.reject(new Error('NOSCRIPT'));
      sent.push({ text, keys: rest.slice(0, keyCount).map(String) });
      return Promise.resolve(null);
    },
  };
  // Running a script uses this one method of a client.
  await holdSeats.run(catcher as unknown as RedisClient, keysOfShow(SHOW), false, 0, 0, 0, 0, 0, []);
  const [caught] = sent;
  if (!caught) throw new Error('the hold script was not sent');
  return caught;
}
