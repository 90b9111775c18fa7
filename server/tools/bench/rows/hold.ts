import type { VolleyResult } from '../driver/driver-calls.ts';
import type { Benchmark, BenchContext, Findings, Run } from '../benchmark.ts';
import { sized } from '../benchmark.ts';
import { BenchError } from '../bench-error.ts';
import { installedVersion } from '../installed-version.ts';
import { WindowMeter } from '../observing/window-meter.ts';
import { startBareServer, startDriver } from '../rigs/driver-process.ts';
import { scriptCalls } from '../rigs/calls-made.ts';
import { openHoldHouse } from '../rigs/hold-house.ts';
import { startRedis } from '../../stack/private-servers.ts';
import { ScriptAlone } from '../rigs/script-alone.ts';
import { spreadOf } from '../statistics.ts';
import { spreadText } from '../report.ts';

const SOCKETS = 8_000;
/** Requests under way: what a stampede of that many impatient people is at any moment. */
const IN_FLIGHT = 1_000;
const SEATS_PER_BUYER = 4;
const VENUE = { sections: 100, seatsPerSection: 1_000, seatsPerBuyer: SEATS_PER_BUYER };
const SCRIPT_CALLS = 40_000;
/** A few clients look on, so that the feed is read, packed and sent as in a sale. */
const WATCHERS = 100;
const SECTIONS_WATCHED = 8;

const ECHO_RATIO = 0.7;
const SCRIPT_RATIO = 1;

export const rateOf = ({ held, refused, seconds }: VolleyResult): number => (held + refused) / seconds;

interface Round {
  readonly ours: VolleyResult;
  readonly echo: number;
  readonly script: number;
  /** Holds decided by one call of the script, on average. */
  readonly batch: number;
}

async function measure(context: BenchContext): Promise<Findings> {
  const sockets = sized(SOCKETS, context, 100);
  const watch = Array.from({ length: SECTIONS_WATCHED }, (_, section) => section);
  const house = await openHoldHouse(context, {
    venue: VENUE,
    sockets,
    entering: { until: 'admitted', watch, watchers: Math.min(WATCHERS, sockets) },
  });
  const { redis, server, driver, seatCount } = house;
  const inFlight = Math.min(IN_FLIGHT, sockets);
  const volley = { perSocket: SEATS_PER_BUYER, inFlight, seat: null, seatCount, perSecond: null };
  const hold = () => driver.call('volley', { ...volley, kind: 'hold' });

  context.say('warming up');
  const { replyBytes } = await hold();
  await driver.call('release', null);
  const bare = await startBareServer(context, Math.round(replyBytes));
  const echoDriver = startDriver(context);
  await echoDriver.call('open', { port: bare.port, sockets, buyers: false, firstBuyer: 0 });
  const echo = () => echoDriver.call('volley', { ...volley, kind: 'echo' });
  await echo();
  // In a Redis of its own, so that neither has the other's history on its disk.
  const scriptRedis = await startRedis(context.say);
  context.afterwards(() => scriptRedis.remove());
  const script = new ScriptAlone(scriptRedis.url, seatCount);
  context.afterwards(() => script.close());
  await script.prepare(Date.now());

  const meter = new WindowMeter(context.observer, { gateway: server, Redis: redis, clients: driver });
  const rounds: Round[] = [];
  for (let run = 0; run < context.runs; run++) {
    context.say(`run ${run + 1} of ${context.runs}`);
    const callsBefore = await scriptCalls(redis.url);
    await meter.start();
    const ours = await hold();
    await meter.stop();
    const batch = ours.held / ((await scriptCalls(redis.url)) - callsBefore);
    if (ours.refused > 0) throw new BenchError(`hold: ${ours.refused} holds of free seats were refused.`);
    await driver.call('release', null);
    const calls = sized(SCRIPT_CALLS, context, 1_000);
    rounds.push({
      ours,
      echo: rateOf({ ...(await echo()), held: sockets * SEATS_PER_BUYER }),
      script: await script.measure(calls),
      batch,
    });
  }
  return findings(rounds, meter, [
    redis.product,
    installedVersion('uWebSockets.js'),
    installedVersion('ioredis'),
  ]);
}

function findings(rounds: readonly Round[], meter: WindowMeter, versions: readonly string[]): Findings {
  const runs: Run[] = rounds.map(({ ours, echo }) => ({ value: rateOf(ours), yardstick: echo }));
  const toScript = spreadOf(rounds.map(({ ours, script }) => rateOf(ours) / script));
  const toEcho = spreadOf(rounds.map(({ ours, echo }) => rateOf(ours) / echo));
  const script = spreadOf(rounds.map((round) => round.script));
  return {
    unit: 'holds/s',
    runs,
    reached: toEcho.median >= ECHO_RATIO && toScript.median >= SCRIPT_RATIO,
    remarks: [
      `${spreadText(spreadOf(rounds.map(({ batch }) => batch)))} holds a script call`,
      `redis-benchmark of the same script, one seat a call: ${spreadText(script)} calls/s; ratio ${spreadText(toScript)}`,
      `p99 at this rate, with everybody at it at once: ${spreadText(spreadOf(rounds.map(({ ours }) => ours.p99)))} ms`,
    ],
    tables: [],
    cpu: meter.shares,
    versions,
  };
}

export const hold: Benchmark = {
  name: 'hold',
  what: 'holds of random seats a second through real sockets, gateway, Redis, reply and feed',
  against: 'a bare uWebSockets.js echo of equal frames to the same clients',
  target: `≥ ${ECHO_RATIO} of the echo, ≥ ${SCRIPT_RATIO} of redis-benchmark -P 1 with the same script`,
  measure,
};
