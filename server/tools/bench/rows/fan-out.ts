import { showId } from '../../../src/platform/ids.ts';
import type { Benchmark, BenchContext, CpuShare, Findings, Run } from '../benchmark.ts';
import { ratiosOf, sized } from '../benchmark.ts';
import { BenchError } from '../bench-error.ts';
import type { ListenResult } from '../driver/driver-calls.ts';
import { installedVersion } from '../installed-version.ts';
import { WindowMeter } from '../observing/window-meter.ts';
import { spreadText } from '../report.ts';
import { addBenchShow } from '../rigs/catalog.ts';
import { startBareServer, startDriver } from '../rigs/driver-process.ts';
import { SeatStir } from '../rigs/seat-stir.ts';
import { dataFolder, requireSockets, ServerProcess } from '../rigs/server-process.ts';
import { readable, spreadOf } from '../statistics.ts';
import { startRedis } from '../../stack/private-servers.ts';

const SOCKETS = 10_000;
const LISTEN_MS = 5_000;
const VENUE = { sections: 1, seatsPerSection: 1_000, seatsPerBuyer: 32 };
/** Taken and given back: 64 changes each time. */
const SEATS_AT_ONCE = 32;
const STIR_EVERY_MS = 40;
const TARGET = 0.9;
const MS_PER_SECOND = 1_000;

/** What a socket server delivered, and what that took. */
interface Delivery {
  readonly changesPerSecond: number;
  readonly framesPerCpuSecond: number;
}

async function measure(context: BenchContext): Promise<Findings> {
  const sockets = sized(SOCKETS, context, 100);
  const listenMs = sized(LISTEN_MS, context, 1_000);
  requireSockets(sockets);
  const redis = await startRedis(context.say);
  context.afterwards(() => redis.remove());
  const dataDir = await dataFolder(context);
  const show = await addBenchShow({ dataDir }, VENUE);
  const server = await ServerProcess.start(context, { DATA_DIR: dataDir, REDIS_URL: redis.url });
  const driver = startDriver(context);
  context.say(`${sockets} clients are coming in, twice`);
  await driver.call('open', { port: server.port, sockets, buyers: true, firstBuyer: 0 });
  await driver.call('enter', { show, until: 'entered', watch: [0], watchers: sockets });
  const bare = await startBareServer(context, 1);
  const bareDriver = startDriver(context);
  await bareDriver.call('open', { port: bare.port, sockets, buyers: false, firstBuyer: 0 });

  const warmUp = new WindowMeter(null, { gateway: server, 'bare server': bare.server });
  const own = new WindowMeter(context.observer, { gateway: server, clients: driver });
  const other = new WindowMeter(context.observer, { 'bare server': bare.server });
  const rounds: { ours: Delivery; bare: Delivery }[] = [];
  for (let run = 0; run <= context.runs; run++) {
    const isMeasured = run > 0;
    context.say(isMeasured ? `run ${run} of ${context.runs}` : 'warming up');
    let meter = isMeasured ? own : warmUp;
    await meter.start();
    const stir = new SeatStir(redis.url, showId(show), VENUE);
    const heard = await stir.during(SEATS_AT_ONCE, STIR_EVERY_MS, () =>
      driver.call('listen', { ms: listenMs }),
    );
    const ours = deliveryOf(heard, (await meter.stop()).get('gateway') ?? 0);
    if (heard.gaps > 0) throw new BenchError(`fan-out: ${heard.gaps} frames were missing.`);
    const tickMs = (heard.seconds * MS_PER_SECOND) / heard.sample.length;
    meter = isMeasured ? other : warmUp;
    await meter.start();
    const listening = bareDriver.call('listen', { ms: heard.sample.length * tickMs });
    await bare.server.call('publish', { frames: heard.sample, tickMs });
    const again = await listening;
    const theirs = deliveryOf(again, (await meter.stop()).get('bare server') ?? 0);
    if (isMeasured) rounds.push({ ours, bare: theirs });
  }
  return findings(
    rounds,
    [...own.shares, ...other.shares],
    [redis.product, installedVersion('uWebSockets.js')],
  );
}

function deliveryOf({ changes, seconds, frames }: ListenResult, cpuSeconds: number): Delivery {
  if (frames === 0) throw new BenchError('fan-out: nothing was delivered.');
  return { changesPerSecond: changes / seconds, framesPerCpuSecond: frames / cpuSeconds };
}

function findings(
  rounds: readonly { ours: Delivery; bare: Delivery }[],
  cpu: readonly CpuShare[],
  versions: readonly string[],
): Findings {
  const runs: Run[] = rounds.map(({ ours, bare }) => ({
    value: ours.changesPerSecond,
    yardstick: bare.changesPerSecond,
  }));
  const perCpu = rounds.map(({ ours, bare }) => ours.framesPerCpuSecond / bare.framesPerCpuSecond);
  const { median } = spreadOf(rounds.map(({ ours }) => ours.framesPerCpuSecond));
  return {
    unit: 'seat changes/s',
    runs,
    reached: spreadOf(ratiosOf(runs)).median >= TARGET,
    remarks: [
      `${readable(median)} frames a CPU second of the gateway, reading the feed and packing included; of the bare ` +
        `server's ${spreadText(spreadOf(perCpu))}`,
    ],
    tables: [],
    cpu,
    versions,
  };
}

export const fanOut: Benchmark = {
  name: 'fan-out',
  what: 'seat changes delivered a second to 10,000 sockets',
  against: 'a bare uWebSockets.js publish loop, equal bytes and tick',
  target: `≥ ${TARGET}`,
  measure,
};
