import { systemClock } from '@stampede/shared/platform/clock.ts';
import uWS from 'uWebSockets.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AddressList } from '../../src/access/ip-address.ts';
import { HttpExchange } from '../../src/gateway/http-exchange.ts';
import { listen } from '../../src/gateway/http-listen.ts';
import { tellMetrics } from '../../src/gateway/http-metrics.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { Metrics } from '../../src/platform/metrics.ts';

describe('GET /metrics', () => {
  const app = uWS.App();
  const metrics = new Metrics(systemClock);
  let address: string;
  beforeAll(async () => {
    const context = {
      clock: systemClock,
      logger: createLogger({ level: 'silent', readable: false }),
      trustedProxies: new AddressList(),
    };
    app.get('/metrics', (response, request) => {
      void tellMetrics(new HttpExchange(response, request, context), metrics);
    });
    const { port } = await listen(app, '127.0.0.1', 0);
    address = `http://127.0.0.1:${port}/metrics`;
  });
  afterAll(() => {
    app.close();
  });

  it('answers in the text format of Prometheus, never to be kept', async () => {
    metrics.countHold('seat-taken', 12);
    const response = await fetch(address);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.text()).toContain('\nstampede_holds_total{outcome="seat-taken"} 1\n');
  });
});
