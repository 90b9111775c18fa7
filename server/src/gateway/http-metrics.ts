import type { HttpExchange } from './http-exchange.ts';

/** What can be told to Prometheus. */
export interface MetricsText {
  readonly contentType: string;
  text(): Promise<string>;
}

/** `GET /metrics`: every metric of this node. For those who run it: nginx doesn't pass it on to buyers. */
export async function tellMetrics(exchange: HttpExchange, metrics: MetricsText): Promise<void> {
  const text = await metrics.text();
  exchange.page(200, text, { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' });
}
