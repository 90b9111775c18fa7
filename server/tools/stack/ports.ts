import { createServer } from 'node:net';
import { TaskError } from '../tasks/task.ts';

export const LOOPBACK = '127.0.0.1';

/** Below the ports that systems hand out for outgoing connections (from 32768), so that none is met by chance. */
export const PORT_MAX = 32_000;

/** Whether nobody listens there on this machine. */
export function isPortFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once('error', () => resolve(false));
  probe.listen({ host: LOOPBACK, port, exclusive: true }, () => probe.close(() => resolve(true)));
  return promise;
}

export async function arePortsFree(ports: readonly number[]): Promise<boolean> {
  for (const port of ports) if (!(await isPortFree(port))) return false;
  return true;
}

/** Found by this process: servers that start side by side must not be sent to the same free port. */
const found = new Set<number>();

/**
 * The first run of `count` neighbouring free ports at or after `first`. Another process may take one before it is
 * used: whoever listens must be ready to ask again.
 * @throws TaskError if there is none
 */
export async function findFreePorts(count: number, first: number): Promise<readonly number[]> {
  for (let base = first; base + count <= PORT_MAX; base++) {
    const ports = Array.from({ length: count }, (_, index) => base + index);
    if (ports.some((port) => found.has(port)) || !(await arePortsFree(ports))) continue;
    if (ports.some((port) => found.has(port))) continue;
    for (const port of ports) found.add(port);
    return ports;
  }
  throw new TaskError(`No ${count} neighbouring ports are free between ${first} and ${PORT_MAX}.`);
}
