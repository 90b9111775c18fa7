import type { Benchmark } from './benchmark.ts';
import { bundle } from './rows/bundle.ts';
import { bytes } from './rows/bytes.ts';
import { fanOut } from './rows/fan-out.ts';
import { fanOutPeers } from './rows/fan-out-peers.ts';
import { hold } from './rows/hold.ts';
import { holdLatency } from './rows/hold-latency.ts';
import { hotSeat } from './rows/hot-seat.ts';
import { lockStrategies } from './rows/lock-strategies.ts';
import { sessionMemory } from './rows/session-memory.ts';
import { settleLatency } from './rows/settle-latency.ts';
import { sellOutBenchmark } from './rows/sell-out.ts';

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
  sellOutBenchmark,
  settleLatency,
  bundle,
];
