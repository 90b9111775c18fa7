import type { BenchContext } from '../benchmark.ts';
import type { Driver } from '../driver/driver.ts';
import type { BareServer } from './bare-server.ts';
import { ChildCalls } from './child-calls.ts';

/** A process that is many clients. */
export function startDriver(context: BenchContext): ChildCalls<Driver> {
  const driver = new ChildCalls<Driver>(new URL('../driver/driver.ts', import.meta.url), 'the driver');
  context.afterwards(() => driver.end());
  return driver;
}

export interface RunningBareServer {
  readonly server: ChildCalls<BareServer>;
  readonly port: number;
}

/** A process with a bare uWebSockets.js server, listening. */
export async function startBareServer(
  context: BenchContext,
  replyBytes: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningBareServer> {
  const file = new URL('bare-server.ts', import.meta.url);
  const server = new ChildCalls<BareServer>(file, 'the bare server', environment);
  context.afterwards(() => server.end());
  return { server, port: await server.call('listen', { replyBytes }) };
}
