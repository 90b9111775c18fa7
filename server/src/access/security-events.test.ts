import { ManualClock } from '@stampede/shared/platform/testing/manual-clock.ts';
import { describe, expect, it } from 'vitest';
import { networkTag } from '../platform/ids.ts';
import { createLogger } from '../platform/logger.ts';
import { Metrics } from '../platform/metrics.ts';
import { SecurityEvents } from './security-events.ts';

const HOME = networkTag('tag-of-home');

function makeEvents() {
  const clock = new ManualClock();
  const lines: unknown[] = [];
  const to = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const metrics = new Metrics(clock);
  const logger = createLogger({ level: 'info', readable: false, to });
  return { clock, lines, metrics, events: new SecurityEvents({ metrics, logger, clock }) };
}

describe('security events', () => {
  it('a flood is counted one by one and told of once in ten seconds, with how often it came', async () => {
    const { clock, lines, metrics, events } = makeEvents();
    for (let time = 0; time < 500; time++) events.refused('origin', () => HOME);
    events.refused('budget-read', () => null);
    expect(lines).toEqual([
      expect.objectContaining({ kind: 'origin', times: 1, network: HOME }),
      expect.objectContaining({ kind: 'budget-read', times: 1, network: null }),
    ]);
    clock.advance(10_000);
    events.refused('origin', () => HOME);
    expect(lines.at(-1)).toMatchObject({ level: 'warn', kind: 'origin', times: 500 });
    const text = await metrics.text();
    expect(text).toContain('stampede_refusals_total{kind="origin"} 501');
    expect(text).toContain('stampede_refusals_total{kind="subprotocol"} 0');
  });

  it('every end of a socket is counted, and those that honest clients bring about are no line in the log', async () => {
    const { lines, metrics, events } = makeEvents();
    events.socketEnded('left', HOME);
    events.socketEnded('cut', HOME);
    events.socketEnded('protocol-violation', HOME);
    expect(lines).toEqual([expect.objectContaining({ kind: 'protocol-violation', network: HOME })]);
    const text = await metrics.text();
    for (const end of ['left', 'cut', 'protocol-violation']) {
      expect(text).toContain(`stampede_socket_closes_total{reason="${end}"} 1`);
    }
  });
});
