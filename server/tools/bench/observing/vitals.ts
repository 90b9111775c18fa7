import { z } from 'zod';
import type { Table } from '../table.ts';
import { spreadText } from '../report.ts';
import { spreadOf } from '../statistics.ts';
import type { InspectorClient } from './inspector-client.ts';

const evaluatedShape = z.object({ result: z.object({ objectId: z.string() }) });
const vitalsShape = z.object({
  seconds: z.number(),
  userSeconds: z.number(),
  systemSeconds: z.number(),
  otherThreadsSeconds: z.number(),
  loopBusy: z.number(),
  delayMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
});
const returnedShape = z.object({ result: z.object({ value: vitalsShape }) });

/** How a server fared in one window. */
export type Vitals = z.infer<typeof vitalsShape>;

/** A timer of so many milliseconds runs in the server, and is late by the delay. */
const TIMER_MS = 1;

/** Runs in the server, so it uses nothing from around it: begins to watch. */
function watch(timerMs: number) {
  const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
  const delay = monitorEventLoopDelay({ resolution: timerMs });
  delay.enable();
  return {
    timerMs,
    delay,
    at: performance.now(),
    loop: performance.eventLoopUtilization(),
    mainThread: process.threadCpuUsage(),
    allThreads: process.cpuUsage(),
  };
}

/** Runs in the server as well, on what `watch` returned there. */
function read(this: ReturnType<typeof watch>): Vitals {
  this.delay.disable();
  const NANOSECONDS_PER_MS = 1e6;
  const lateMs = (nanoseconds: number): number =>
    Math.max(0, nanoseconds / NANOSECONDS_PER_MS - this.timerMs);
  const MICROSECONDS = 1e6;
  const main = process.threadCpuUsage(this.mainThread);
  const all = process.cpuUsage(this.allThreads);
  return {
    seconds: (performance.now() - this.at) / 1_000,
    userSeconds: main.user / MICROSECONDS,
    systemSeconds: main.system / MICROSECONDS,
    otherThreadsSeconds: Math.max(0, all.user + all.system - main.user - main.system) / MICROSECONDS,
    loopBusy: performance.eventLoopUtilization(this.loop).utilization,
    delayMs: {
      p50: lateMs(this.delay.percentile(50)),
      p99: lateMs(this.delay.percentile(99)),
      max: lateMs(this.delay.max),
    },
  };
}

/** Begins in a server; the function that resolves ends it and resolves with what was seen between. */
export async function watchVitals(inspector: InspectorClient): Promise<() => Promise<Vitals>> {
  const begun = await inspector.call('Runtime.evaluate', {
    expression: `(${watch.toString()})(${TIMER_MS})`,
  });
  const { objectId } = evaluatedShape.parse(begun).result;
  return async () => {
    const end = { objectId, functionDeclaration: read.toString(), returnByValue: true };
    return returnedShape.parse(await inspector.call('Runtime.callFunctionOn', end)).result.value;
  };
}

/** One line for each server. */
export function vitalsTable(windows: readonly (readonly [name: string, readonly Vitals[]])[]): Table {
  const hundredths = (ms: number): number => Math.round(ms * 100) / 100;
  const percent = (part: number, whole: number): number => (part / whole) * 100;
  const columns: readonly (readonly [string, (vitals: Vitals) => number])[] = [
    ['seconds', ({ seconds }) => seconds],
    ['loop busy %', ({ loopBusy }) => loopBusy * 100],
    ['main thread: user %', ({ userSeconds, seconds }) => percent(userSeconds, seconds)],
    ['kernel %', ({ systemSeconds, seconds }) => percent(systemSeconds, seconds)],
    ['other threads %', ({ otherThreadsSeconds, seconds }) => percent(otherThreadsSeconds, seconds)],
    ['loop delay p50 ms', ({ delayMs }) => hundredths(delayMs.p50)],
    ['p99 ms', ({ delayMs }) => hundredths(delayMs.p99)],
    ['max ms', ({ delayMs }) => hundredths(delayMs.max)],
  ];
  return {
    title: 'Our servers in the measured windows, CPU in % of one core; a timer is late by the loop delay',
    columns: ['server', ...columns.map(([name]) => name)],
    rows: windows.map(([name, all]) => [
      name,
      ...columns.map(([, valueOf]) => spreadText(spreadOf(all.map(valueOf)))),
    ]),
  };
}
