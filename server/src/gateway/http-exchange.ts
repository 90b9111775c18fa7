import { STATUS_CODES } from 'node:http';
import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import type { ErrorBody } from '@stampede/shared/protocol/http.ts';
import { type Client, clientOf } from '../access/client-address.ts';
import { type AddressList, addressOfBytes } from '../access/ip-address.ts';
import type { Logger } from '../platform/logger.ts';
import type { Outside } from '../platform/outside.ts';
import { newTraceId, traceIdOf } from './trace-id.ts';
import { IncomingBody } from './http-body.ts';
import type { HttpRefusal } from './http-refusal.ts';
import { acceptedCodings, isKnownTag, type Representation } from './http-representation.ts';
import { NO_CONTENT_POLICY, SECURITY_HEADERS } from './http-security.ts';

/** What every exchange needs. */
export interface HttpContext {
  readonly outside: Outside;
  readonly logger: Logger;
  readonly trustedProxies: AddressList;
}

export type ResponseHeaders = Readonly<Record<string, string>>;

export const NOT_KEPT: ResponseHeaders = { 'Cache-Control': 'no-store' };
export const JSON_TYPE: ResponseHeaders = { 'Content-Type': 'application/json; charset=utf-8' };

const NO_ADDRESS = '0.0.0.0';
const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
/** Larger bodies are handed over piece by piece, so that a slow client costs no copy of them [P7]. */
const WHOLE_BYTES_MAX = 64 * 1_024;

/** The canonical address of the connection's other end; who is gone already has none any more. */
export function remoteAddress(response: HttpResponse): string {
  const bytes = new Uint8Array(response.getRemoteAddress());
  return bytes.length === 0 ? NO_ADDRESS : addressOfBytes(bytes);
}

/** Reads who is behind a request; only in the turn in which it arrived. */
function readClient(response: HttpResponse, request: HttpRequest, trustedProxies: AddressList): Client {
  const address = remoteAddress(response);
  if (!trustedProxies.has(address)) return { address, https: false };
  // `getHeader` gives the first of several headers of a name, and that one may be the client's own.
  const forwardedFor: string[] = [];
  request.forEach((name, value) => {
    if (name === 'x-forwarded-for') forwardedFor.push(value);
  });
  const forwardedProto = request.getHeader('x-forwarded-proto');
  return clientOf({ address, forwardedFor: forwardedFor.join(','), forwardedProto }, trustedProxies);
}

/** Request headers that mean something to us, empty where absent; only in the turn in which the request arrived. */
function readHeaders(request: HttpRequest) {
  return {
    accept: request.getHeader('accept'),
    acceptEncoding: request.getHeader('accept-encoding'),
    authorization: request.getHeader('authorization'),
    contentType: request.getHeader('content-type'),
    cookie: request.getHeader('cookie'),
    host: request.getHeader('host'),
    ifNoneMatch: request.getHeader('if-none-match'),
    origin: request.getHeader('origin'),
  };
}

function hasTwoLengths(request: HttpRequest): boolean {
  let lengths = 0;
  request.forEach((name) => {
    if (name === 'content-length') lengths += 1;
  });
  return lengths > 1;
}

/**
 * One request and its one answer. The library's request lives only for the turn it arrives in and its response must
 * not be touched once the client is gone; this keeps what is needed of the first and guards the second, so that
 * handlers may take their time.
 */
export class HttpExchange {
  /** In capitals. */
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  /** The first parameter of the route's pattern. */
  readonly parameter: string;
  readonly headers: ReturnType<typeof readHeaders>;
  readonly client: Client;
  readonly traceId: string;
  /** Whether its length is told twice: a proxy may have read it as another request than we do. */
  readonly isAmbiguous: boolean;
  readonly #response: HttpResponse;
  readonly #body: IncomingBody | null;
  #state: 'waiting' | 'answered' | 'gone' = 'waiting';
  #status = 0;
  #hangsUp = false;

  /** Must be made in the turn in which the request arrived. */
  constructor(response: HttpResponse, request: HttpRequest, context: HttpContext) {
    this.#response = response;
    this.method = request.getCaseSensitiveMethod().toUpperCase();
    this.path = request.getUrl();
    this.parameter = request.getParameter(0) ?? '';
    this.headers = readHeaders(request);
    this.client = readClient(response, request, context.trustedProxies);
    this.traceId = traceIdOf(request.getHeader('traceparent')) ?? newTraceId();
    this.isAmbiguous = hasTwoLengths(request);
    this.#body = METHODS_WITH_BODY.has(this.method)
      ? new IncomingBody(response, request.getHeader('content-length'), context.outside.clock)
      : null;
    response.onAborted(() => {
      this.#state = 'gone';
      this.#body?.abandon();
    });
  }

  /** Status of the answer; 0 before it. */
  get status(): number {
    return this.#status;
  }

  /** Whether nobody is there any more to be answered. */
  get isGone(): boolean {
    return this.#state === 'gone';
  }

  /** The request's body; throws the refusal of one that is too large or too slow. */
  async body(): Promise<Uint8Array> {
    return this.#body ? this.#body.whole() : new Uint8Array();
  }

  /** Answers JSON. */
  json(status: number, value: unknown, headers: ResponseHeaders = {}): void {
    this.answer(status, { ...JSON_TYPE, ...headers }, Buffer.from(JSON.stringify(value)));
  }

  /** Answers an error with its body, never to be cached; `hangsUp`: and says nothing more on this connection. */
  refuse({ status, code, message, details: { headers, more } }: HttpRefusal, hangsUp = false): void {
    const body: ErrorBody = { code, message, traceId: this.traceId };
    this.#hangsUp ||= hangsUp;
    this.json(status, { ...body, ...more }, { ...NOT_KEPT, ...headers });
  }

  /** Answers content: 304 if the client has it, else in the best coding it takes. */
  represent(representation: Representation, headers: ResponseHeaders = {}, status = 200): void {
    const { type, etag, plain } = representation;
    const cached = { ETag: etag, Vary: 'Accept-Encoding', ...headers };
    if (status === 200 && isKnownTag(this.headers.ifNoneMatch, etag)) {
      this.answer(304, cached, null);
      return;
    }
    for (const coding of acceptedCodings(this.headers.acceptEncoding)) {
      const bytes = representation.coded(coding);
      if (!bytes) continue;
      this.answer(status, { 'Content-Type': type, 'Content-Encoding': coding, ...cached }, bytes);
      return;
    }
    this.answer(status, { 'Content-Type': type, ...cached }, plain);
  }

  /** Answers, unless somebody was answered already or is gone; null: without a body. */
  answer(status: number, headers: ResponseHeaders, body: Uint8Array | null): void {
    if (this.#state !== 'waiting') return;
    this.#state = 'answered';
    this.#status = status;
    this.#body?.abandon();
    // After these the rest of the request's body is not wanted, and the connection is of no more use.
    const closeConnection = status === 408 || status === 413 || this.isAmbiguous || this.#hangsUp;
    const response = this.#response;
    response.cork(() => {
      response.writeStatus(`${status} ${STATUS_CODES[status] ?? ''}`);
      const all = { ...SECURITY_HEADERS, 'Content-Security-Policy': NO_CONTENT_POLICY, ...headers };
      for (const [name, value] of Object.entries(all)) response.writeHeader(name, value);
      response.writeHeader('Trace-Id', this.traceId);
      if (body === null) response.endWithoutBody();
      else if (this.method === 'HEAD') response.endWithoutBody(body.length, closeConnection);
      else if (body.length <= WHOLE_BYTES_MAX) response.end(body, closeConnection);
      else this.#sendInPieces(body);
    });
  }

  #sendInPieces(body: Uint8Array): void {
    const [, isDone] = this.#response.tryEnd(body, body.length);
    if (isDone) return;
    this.#response.onWritable((offset) => {
      if (this.#state === 'gone') return true;
      const [isSent] = this.#response.tryEnd(body.subarray(offset), body.length);
      return isSent;
    });
  }
}
