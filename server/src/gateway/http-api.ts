import { isUtf8 } from 'node:buffer';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { html } from 'hono/html';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import { errorBody } from '@stampede/shared/protocol/http.ts';
import { SUBPROTOCOL } from '@stampede/shared/protocol/limits.ts';
import { HttpExchange } from './http-exchange.ts';
import { HttpRefusal, nothingHere, otherMethod } from './http-refusal.ts';
import { JsonRepresentation } from './http-representation.ts';

/*
 * The API as the library serves and describes it. Its requests are bare: what handlers want to know of one is read
 * from the exchange, which stands beside it as the library's "bindings".
 */

export type ApiEnv = { Bindings: HttpExchange };
export type Api = OpenAPIHono<ApiEnv>;

const JSON_TYPE = /^application\/json\s*(;|$)/i;
/** No address is read from it: the exchange knows the path as it was sent. */
const ANY_ADDRESS = 'http://stampede/';
/** Of each method one for all calls: nothing is read from them, and making one takes its time under a stampede. */
const REQUESTS = new Map(
  ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].map((method) => [method, new Request(ANY_ADDRESS, { method })]),
);
/** A method that no address knows. */
const OTHER_REQUEST = new Request(ANY_ADDRESS, { method: 'OPTIONS' });

/** A call whose body was taken: a request of its own would wrap it into a stream, at twice the cost of the answer. */
const JSON_REQUEST = new Request(ANY_ADDRESS, {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
});

/** An API without any routes yet, which throws each refusal. */
export function newApi(): Api {
  const api = new OpenAPIHono<ApiEnv>({
    getPath: (_, options) => (options?.env instanceof HttpExchange ? options.env.path : '/'),
    defaultHook: (result) => {
      if (!result.success) throw new HttpRefusal(422, 'invalid', z.prettifyError(result.error));
    },
  });
  api.onError((error) => {
    throw error instanceof HTTPException ? malformed() : error;
  });
  api.notFound(({ env: { path } }) => {
    const known = api.routes.filter((route) => route.path === path).map(({ method }) => method);
    throw known.length > 0 ? otherMethod([...new Set(known)]) : nothingHere();
  });
  return api;
}

/** Lets the API answer an exchange. */
export async function answerByApi(api: Api, exchange: HttpExchange): Promise<void> {
  const request = REQUESTS.get(exchange.method === 'HEAD' ? 'GET' : exchange.method) ?? OTHER_REQUEST;
  const response = await api.fetch(request, exchange);
  const body = response.body && new Uint8Array(await response.arrayBuffer());
  exchange.answer(response.status, Object.fromEntries(response.headers), body);
}

/** Hands the body on to the library, which parses and checks it: no body as an empty object. */
export const takeBody: MiddlewareHandler<ApiEnv> = async (context, next) => {
  const bytes = await context.env.body();
  if (bytes.length > 0) {
    if (!JSON_TYPE.test(context.env.headers.contentType)) {
      throw new HttpRefusal(415, 'unsupported-media-type', 'Send the body as application/json, or none.');
    }
    if (!isUtf8(bytes)) throw malformed();
    context.req.raw = JSON_REQUEST;
    // The library keeps promises there, which its types don't say.
    Object.assign(context.req.bodyCache, { text: Promise.resolve(new TextDecoder().decode(bytes)) });
  }
  await next();
};

function malformed(): HttpRefusal {
  return new HttpRefusal(400, 'malformed', 'The body is not JSON in UTF-8.');
}

/** A body that is JSON, in the document. */
export function jsonOf<Schema extends z.ZodType>(schema: Schema) {
  return { 'application/json': { schema } };
}

/** An error, in the document. */
export function refusal(description: string) {
  return { description, content: jsonOf(errorBody) };
}

export const ANY_REFUSAL = { default: refusal('Every error (PROTOCOL.md, 10)') };

/** One reading that is answered beside the library, from what was made before; the document tells of it all the same. */
export interface Reading {
  /** As OpenAPI writes it. */
  readonly path: `/${string}`;
  readonly about: string;
  readonly schema: z.ZodType;
  readonly answer: (exchange: HttpExchange) => void | Promise<void>;
}

/** Puts a reading into the document; returns the pattern of its path. */
export function declareReading(api: Api, { path, about, schema }: Reading): string {
  const route = createRoute({
    method: 'get',
    path,
    responses: {
      200: { description: about, content: jsonOf(schema) },
      304: { description: 'What `If-None-Match` names is still right' },
      ...ANY_REFUSAL,
    },
    ...(path.includes('{id}') && { request: { params: z.object({ id: z.string() }) } }),
  });
  api.openAPIRegistry.registerPath(route);
  return route.getRoutingPath();
}

/** The whole API in the words of OpenAPI 3.1. */
export function apiDocument(api: Api): JsonRepresentation {
  return new JsonRepresentation(documentOf(api), 'lasting');
}

/** The same for people: a page without scripts or styles, which the strictest content policy lets through. */
export async function apiPage(api: Api): Promise<string> {
  const { paths = {}, components = {} } = documentOf(api);
  const json = (value: unknown) => html`<pre>${JSON.stringify(value, null, 2)}</pre>`;
  const calls = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, call]) =>
        html`<details>
          <summary>${method.toUpperCase()} ${path}</summary>
          ${json(call)}
        </details>`,
    ),
  );
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <title>Stampede: the HTTP API</title>
      <h1>The HTTP API</h1>
      <p>Rules and sockets: shared/PROTOCOL.md. For programs: <a href="/openapi.json">openapi.json</a>.</p>
      ${calls}
      <h2>Schemas</h2>
      ${json(components.schemas)}
    </html>`;
}

function documentOf(api: Api) {
  const info = { title: 'Stampede', version: SUBPROTOCOL, description: 'Rules and sockets: PROTOCOL.md.' };
  return api.getOpenAPI31Document({ openapi: '3.1.0', info });
}
