import type { Benchmark } from './benchmark.ts';
import { bundle } from './rows/bundle.ts';
import { bytes } from './rows/bytes.ts';
import { fanOut, fanOutPeers } from './rows/fan-out.ts';
import { hold, holdLatency, hotSeat } from './rows/hold.ts';
import { lockStrategies } from './rows/lock-strategies.ts';
import { sessionMemory, shows } from './rows/memory.ts';
import { sellOut, settleLatency } from './rows/sell-out.ts';

/** In the order they are measured and reported. */
export const BENCHMARKS: readonly Benchmark[] = [
  hold,
  holdLatency,
  hotSeat,
  lockStrategies,
  fanOut,
  fanOutPeers,
  bytes,
  sessionMemory,
  shows,
  sellOut,
  settleLatency,
  bundle,
];
