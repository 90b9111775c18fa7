import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, describe, expect, test } from 'vitest';
import { BenchError } from '../bench-error.ts';
import { InspectorClient } from './inspector-client.ts';
import { vitalsTable, watchVitals } from './vitals.ts';

let child: ChildProcess | undefined;

/** A process of Node.js that does nothing, and a client of its inspector. */
async function inspected(): Promise<InspectorClient> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const args = ['--inspect=127.0.0.1:0', '-e', 'setInterval(() => undefined, 1_000)'];
  const started = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  child = started;
  let said = '';
  started.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    const [url] = /ws:\S+(?=\n)/.exec(said) ?? [];
    if (url !== undefined) resolve(url);
  });
  started.once('exit', () => reject(new Error(said)));
  return InspectorClient.connect(await promise);
}

afterEach(() => child?.kill('SIGKILL'));

describe('a server through its inspector', () => {
  test('tells how it fared since it was asked to watch', async () => {
    const inspector = await inspected();
    const end = await watchVitals(inspector);
    const busy = 'const until = process.cpuUsage().user + 30_000; while (process.cpuUsage().user < until);';
    await inspector.call('Runtime.evaluate', { expression: `{ ${busy} }` });
    const vitals = await end();
    await inspector.close();
    expect(vitals.userSeconds).toBeGreaterThanOrEqual(0.02);
    expect(vitals.seconds).toBeGreaterThanOrEqual(vitals.userSeconds);
    const [row] = vitalsTable([['gateway', [vitals, vitals]]]).rows;
    expect(row?.[0]).toBe('gateway');
  });

  test('refuses in words what it does not know', async () => {
    const inspector = await inspected();
    await expect(inspector.call('Profiler.fly')).rejects.toThrow(/Profiler\.fly/);
    await inspector.close();
  });

  test('[P7] that ends meanwhile is an error, not silence', async () => {
    const inspector = await inspected();
    const never = inspector.call('Runtime.evaluate', { expression: 'while (true);' });
    child?.kill('SIGKILL');
    await expect(never).rejects.toThrow(BenchError);
    await expect(inspector.call('Runtime.enable')).rejects.toThrow(BenchError);
    await inspector.close();
  });
});
