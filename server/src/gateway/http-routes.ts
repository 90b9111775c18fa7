import type { TemplatedApp } from 'uWebSockets.js';
import type { Metrics } from '../platform/metrics.ts';
import type { PartHealth } from '../platform/part-health.ts';
import { answerByApi, apiDocument, apiPage, declareReading, newApi } from './http-api.ts';
import { type HttpContext, HttpExchange, NOT_KEPT } from './http-exchange.ts';
import { HttpRefusal, nothingHere, otherMethod, spendBudget } from './http-refusal.ts';
import type { JsonRepresentation } from './http-representation.ts';
import { declareRecoveries, declareSessions, type SessionParts } from './http-sessions.ts';
import { findShow, showReadings } from './http-shows.ts';
import type { StaticFiles } from './static-files.ts';

/** Whether this node can do its work. */
type Readiness = Pick<PartHealth, 'parts' | 'troubleOf' | 'isDraining'>;

export interface HealthParts extends HttpContext {
  readonly readiness: Readiness;
  readonly metrics: Pick<Metrics, 'contentType' | 'text'>;
}

export interface HttpParts extends HealthParts, SessionParts {
  readonly files: StaticFiles;
}

const PAGE = { 'Content-Type': 'text/html; charset=utf-8', 'Cache-Control': 'no-cache' };

type Answer = (exchange: HttpExchange) => void | Promise<void>;

/** Puts every route that buyers ask for on the server; the socket route may be added before or after. */
export function routeHttp(app: TemplatedApp, parts: HttpParts): void {
  const { files, shows } = parts;
  const inBudget = ({ client }: HttpExchange): Promise<void> => spendBudget(client, 'read', parts);
  const api = newApi();
  for (const reading of showReadings(shows, parts.outside.clock)) {
    route(app, parts, declareReading(api, reading), reads(reading.answer), inBudget);
  }
  declareSessions(api, parts);
  declareRecoveries(api, parts);
  for (const path of new Set([...api.routes.map((one) => one.path), '/api', '/api/*'])) {
    route(app, parts, path, (exchange) => answerByApi(api, exchange), inBudget);
  }
  let document: JsonRepresentation | null = null;
  const tellDocument: Answer = (exchange) => exchange.represent((document ??= apiDocument(api)));
  route(app, parts, '/openapi.json', reads(tellDocument));
  let page: Buffer | null = null;
  const tellPage: Answer = async (exchange) =>
    exchange.answer(200, PAGE, (page ??= Buffer.from(await apiPage(api))));
  route(app, parts, '/docs', reads(tellPage));
  const hasShow = (number: string): boolean => findShow(shows, number) !== undefined;
  const serveFile: Answer = (exchange) => files.serve(exchange, hasShow);
  route(app, parts, '/*', reads(serveFile));
}

/**
 * What is for those who run it, on the port that is told them: whether the process can do its work, and how it does.
 * On another one these are none of anybody's business. That the process lives, every port says.
 */
export function routeHealth(app: TemplatedApp, parts: HealthParts, isTold: boolean): void {
  const { metrics, readiness } = parts;
  const tellAlive: Answer = (exchange) => exchange.json(200, { status: 'alive' }, NOT_KEPT);
  const tellMetrics: Answer = async (exchange) => {
    const text = Buffer.from(await metrics.text());
    exchange.answer(200, { 'Content-Type': metrics.contentType, ...NOT_KEPT }, text);
  };
  const told = (answer: Answer): Answer => (isTold ? reads(answer) : refuseUnknown);
  route(app, parts, '/healthz', reads(tellAlive));
  route(
    app,
    parts,
    '/readyz',
    told((exchange) => tellReadiness(exchange, readiness)),
  );
  route(app, parts, '/metrics', told(tellMetrics));
}

/** Lets an address be answered, once `gate` lets the exchange pass. Whatever is thrown becomes the answer. */
function route(
  app: TemplatedApp,
  context: HttpContext,
  pattern: string,
  answer: Answer,
  gate: Answer = () => undefined,
): void {
  const { logger, outside } = context;
  const run = async (exchange: HttpExchange): Promise<void> => {
    const { method, traceId } = exchange;
    try {
      if (exchange.isAmbiguous) {
        // In another turn: a request hidden behind this one then meets an unanswered one, for which the library cuts.
        await new Promise<void>((resolve) => outside.nextTurn(resolve));
        throw new HttpRefusal(400, 'malformed', 'The length of the body is told twice.');
      }
      await gate(exchange);
      await answer(exchange);
    } catch (error) {
      const refusal = error instanceof HttpRefusal ? error : internal(error);
      const { cause } = refusal;
      if (cause !== undefined)
        logger.error({ err: cause, traceId, route: pattern }, 'an HTTP request failed');
      exchange.refuse(refusal);
    }
    logger.debug({ method, route: pattern, status: exchange.status, traceId }, 'answered');
  };
  app.any(pattern, (response, request) => void run(new HttpExchange(response, request, context)));
}

/** Of an address that can only be read. */
function reads(answer: Answer): Answer {
  return (exchange) => {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw otherMethod(['GET']);
    return answer(exchange);
  };
}

function refuseUnknown(): void {
  throw nothingHere();
}

function internal(cause: unknown): HttpRefusal {
  const message = 'Something broke on our side; it has been noted under the trace id.';
  return new HttpRefusal(500, 'internal', message, { cause });
}

/** `GET /readyz`: 200 when everything is there, else 503 naming what isn't. Proxies ask it where to send buyers. */
function tellReadiness(exchange: HttpExchange, readiness: Readiness): void {
  const parts = readiness.parts();
  const details = { headers: { 'Retry-After': '1' }, more: { parts } };
  if (readiness.isDraining) {
    throw new HttpRefusal(503, 'draining', 'This server is on its way out.', details);
  }
  const missing = Object.keys(parts).filter((name) => parts[name] !== true);
  if (missing.length > 0) {
    const troubles = missing.map((name) => readiness.troubleOf(name)).join(', ');
    throw new HttpRefusal(503, 'not-ready', `Not ready yet: ${troubles}.`, details);
  }
  exchange.json(200, { status: 'ready', parts }, NOT_KEPT);
}
