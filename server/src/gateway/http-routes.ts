import type { TemplatedApp } from 'uWebSockets.js';
import { nextTurn } from '../platform/turn.ts';
import { type HttpContext, HttpExchange } from './http-exchange.ts';
import { isWithinBudget } from './http-limits.ts';
import { type MetricsText, tellMetrics } from './http-metrics.ts';
import { type RecoveryDependencies, recoverSession, tellRecoveryCode } from './http-recoveries.ts';
import { endSession, openSession } from './http-sessions.ts';
import { ShowRoutes } from './http-shows.ts';
import type { StaticFiles } from './static-files.ts';

/** Whether this node can do its work. */
export interface Readiness {
  /** Parts the node needs, by name, and whether each is ready. */
  parts(): Readonly<Record<string, boolean>>;
  /** What to say of a part that is not there. */
  troubleOf(name: string): string;
  /** Whether the node is on its way out: it finishes its work and wants no new. */
  readonly isDraining: boolean;
}

export interface HealthDependencies extends HttpContext {
  readonly readiness: Readiness;
  readonly metrics: MetricsText;
}

export interface HttpDependencies extends HealthDependencies, RecoveryDependencies {
  readonly files: StaticFiles;
}

type Handler = (exchange: HttpExchange) => void | Promise<void>;
type Methods = Readonly<Record<string, Handler>>;
type Route = (pattern: string, methods: Methods) => void;

/** Puts every route that buyers ask for on the server; the socket route may be added before or after. */
export function routeHttp(app: TemplatedApp, dependencies: HttpDependencies): void {
  const { files } = dependencies;
  const route = routesOf(app, dependencies, () => true);
  const apiRoute = routesOf(app, dependencies, (exchange) => isWithinBudget(exchange, 'read', dependencies));

  const shows = new ShowRoutes(dependencies.shows, dependencies.clock);
  apiRoute('/api/shows', { GET: (exchange) => shows.list(exchange) });
  apiRoute('/api/shows/:id', { GET: (exchange) => shows.detail(exchange) });
  apiRoute('/api/shows/:id/layout', { GET: (exchange) => shows.layout(exchange) });
  apiRoute('/api/shows/:id/seats', { GET: (exchange) => shows.seats(exchange) });
  apiRoute('/api/sessions', {
    POST: (exchange) => openSession(exchange, dependencies),
    DELETE: (exchange) => endSession(exchange, dependencies),
  });
  apiRoute('/api/recoveries', {
    GET: (exchange) => tellRecoveryCode(exchange, dependencies),
    POST: (exchange) => recoverSession(exchange, dependencies),
  });
  for (const pattern of ['/api', '/api/*']) apiRoute(pattern, { ANY: refuseUnknown });

  route('/*', { GET: (exchange) => files.serve(exchange, (number) => shows.find(number) !== undefined) });
}

/** Whether the process lives: every port says so, whatever its role. */
export function routeLife(app: TemplatedApp, context: HttpContext): void {
  const route = routesOf(app, context, () => true);
  route('/healthz', { GET: (exchange) => exchange.json(200, { status: 'alive' }, NOT_KEPT) });
}

/** What is for those who run it: whether the process can do its work, and how it does. */
export function routeOperations(app: TemplatedApp, dependencies: HealthDependencies): void {
  const route = routesOf(app, dependencies, () => true);
  route('/readyz', { GET: (exchange) => tellReadiness(exchange, dependencies.readiness) });
  route('/metrics', { GET: (exchange) => tellMetrics(exchange, dependencies.metrics) });
}

/** On a port where operations are none of anybody's business. */
export function hideOperations(app: TemplatedApp, context: HttpContext): void {
  const route = routesOf(app, context, () => true);
  for (const pattern of ['/readyz', '/metrics']) route(pattern, { ANY: refuseUnknown });
}

const NOT_KEPT = { 'Cache-Control': 'no-store' };

/** Routes whose exchanges pass `gate` first; a gate that says no has answered. */
function routesOf(
  app: TemplatedApp,
  { logger, ...context }: HttpContext,
  gate: (exchange: HttpExchange) => boolean | Promise<boolean>,
): Route {
  const run = async (exchange: HttpExchange, pattern: string, methods: Methods): Promise<void> => {
    try {
      if (exchange.isAmbiguous) {
        // In another turn: a request hidden behind this one then meets an unanswered one, for which the library cuts.
        await new Promise<void>((resolve) => nextTurn(resolve));
        exchange.refuse(400, 'malformed', 'The length of the body is told twice.');
        return;
      }
      if (await gate(exchange)) await handlerOf(exchange, methods)(exchange);
    } catch (error) {
      logger.error({ err: error, traceId: exchange.traceId, route: pattern }, 'an HTTP request failed');
      exchange.refuse(500, 'internal', 'Something broke on our side; it has been noted under the trace id.');
    }
    const { method, status, traceId } = exchange;
    logger.debug({ method, route: pattern, status, traceId }, 'answered');
  };
  return (pattern, methods) => {
    app.any(pattern, (response, request) => {
      void run(new HttpExchange(response, request, { logger, ...context }), pattern, methods);
    });
  };
}

function handlerOf({ method }: HttpExchange, methods: Methods): Handler {
  return methods[method === 'HEAD' ? 'GET' : method] ?? methods['ANY'] ?? refuseMethod(methods);
}

function refuseMethod(methods: Methods): Handler {
  const allowed = Object.keys(methods).flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
  return (exchange) => {
    const message = `Here goes only ${allowed.join(' or ')}.`;
    exchange.refuse(405, 'method-not-allowed', message, { Allow: allowed.join(', ') });
  };
}

function refuseUnknown(exchange: HttpExchange): void {
  exchange.refuse(404, 'not-found', 'There is nothing at this address.');
}

/** `GET /readyz`: 200 when everything is there, else 503 naming what isn't. Proxies ask it where to send buyers. */
function tellReadiness(exchange: HttpExchange, readiness: Readiness): void {
  const { isDraining } = readiness;
  const parts = readiness.parts();
  const missing = Object.keys(parts).filter((name) => parts[name] !== true);
  if (!isDraining && missing.length === 0) {
    exchange.json(200, { status: 'ready', parts }, NOT_KEPT);
  } else if (isDraining) {
    exchange.refuse(503, 'draining', 'This server is on its way out.', { 'Retry-After': '1' }, { parts });
  } else {
    const message = `Not ready yet: ${missing.map((name) => readiness.troubleOf(name)).join(', ')}.`;
    exchange.refuse(503, 'not-ready', message, { 'Retry-After': '1' }, { parts });
  }
}
