import http from 'node:http';
import https from 'node:https';
import type { OpenSocket } from '@stampede/shared/client/stampede-client.ts';
import WebSocket from 'ws';
import { openFilesMax } from '../../src/gateway/open-files.ts';
import { TaskError } from '../tasks/task.ts';

/**
 * Where a household's connections come from. Null: wherever the system likes.
 *
 * A server allows each address so many calls and sockets, because a household has one. Loopback has 16 million
 * addresses on Linux, so a crowd there lives in households like everybody else; elsewhere all share one address and
 * wait when told to.
 */
export type SourceAddress = string | null;

/** An answer over HTTP, whatever its status. */
export interface HttpAnswer {
  readonly status: number;
  /** Seconds from `Retry-After`; null without it. */
  readonly retryAfterSeconds: number | null;
  readonly body: string;
}

const BUYERS_PER_HOUSEHOLD = 40;
const HOUSEHOLDS_PER_STREET = 250;
/** 127.16.0.0 and up: away from addresses that people use by hand. */
const FIRST_DISTRICT = 16;
const DISTRICTS = 200;

/** Files a process has open besides its buyers' sockets, generously. */
const OTHER_FILES = 300;

const HTTP_TIMEOUT_MS = 15_000;
const HTTP_BODY_BYTES_MAX = 16 * 1_024 * 1_024;
const HANDSHAKE_TIMEOUT_MS = 15_000;
const LOST = 1006;
const EMPTY_FRAME = new Uint8Array(0);

/** @throws TaskError if this process may not open so many sockets; `whose` begins the message */
export function checkOpenFiles(whose: string, sockets: number): void {
  const filesMax = openFilesMax();
  if (filesMax === null || sockets + OTHER_FILES <= filesMax) return;
  throw new TaskError(
    `${whose}: ${sockets} need as many sockets, and this process may have ${filesMax} files open; ` +
      `take at most ${filesMax - OTHER_FILES}, or raise the limit (ulimit -n).`,
  );
}

/** Whether the crowd may choose its addresses towards this server. */
function hasSourceAddresses({ hostname }: URL): boolean {
  return process.platform === 'linux' && (hostname === 'localhost' || hostname.startsWith('127.'));
}

/**
 * The address of a buyer's household.
 * @param district keeps runs apart, `0…1`: the calls of one a minute ago are still counted
 */
export function addressOfBuyer(buyer: number, district: number): string {
  const household = Math.floor(buyer / BUYERS_PER_HOUSEHOLD);
  const street = Math.floor(household / HOUSEHOLDS_PER_STREET);
  return `127.${FIRST_DISTRICT + Math.floor(district * DISTRICTS)}.${street}.${1 + (household % HOUSEHOLDS_PER_STREET)}`;
}

/** Where buyer `number` comes from when they visit this server. */
export function sourceOf(server: URL, number: number, district: number): SourceAddress {
  return hasSourceAddresses(server) ? addressOfBuyer(number, district) : null;
}

/** The gateway that buyer `number` visits. */
export function serverOf(servers: readonly [URL, ...URL[]], number: number): URL {
  return servers[number % servers.length] ?? servers[0];
}

/** Where a server takes sockets. */
export function socketAddress(server: URL): string {
  const url = new URL('/socket', server);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Options that tie a connection to its source; IPv4 only, because the address is. */
function sourceOptions(source: SourceAddress): { localAddress: string; family: 4 } | object {
  return source === null ? {} : { localAddress: source, family: 4 };
}

/** Opens sockets with `ws`: half the memory of Node's own at 2,000 of them, and it takes a source address. */
export function socketsFrom(source: SourceAddress, onError: (kind: string) => void): OpenSocket {
  return (url, subprotocol, events) => {
    const socket = new WebSocket(url, subprotocol, {
      ...sourceOptions(source),
      perMessageDeflate: false,
      skipUTF8Validation: true,
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    });
    socket.on('open', () => {
      events.opened();
    });
    socket.on('message', (data, isBinary) => {
      events.received(isBinary && data instanceof Uint8Array ? data : EMPTY_FRAME);
    });
    // The library closes after every error, so the owner hears of it there.
    socket.on('error', (error) => {
      onError(errorKind(error));
    });
    socket.on('close', (code) => {
      events.closed(code || LOST);
    });
    return {
      send: (frame) => {
        socket.send(frame);
      },
      close: () => {
        socket.close();
      },
    };
  };
}

export interface HttpCall {
  readonly method: 'GET' | 'POST';
  readonly source: SourceAddress;
  readonly json?: unknown;
}

/** One HTTP call on a connection of its own. Rejects when the server can't be reached or talks nonsense. */
export function httpCall(url: URL, { method, source, json }: HttpCall): Promise<HttpAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
  const options = {
    ...sourceOptions(source),
    method,
    agent: false as const,
    timeout: HTTP_TIMEOUT_MS,
    headers: json === undefined ? {} : { 'Content-Type': 'application/json' },
  };
  const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > HTTP_BODY_BYTES_MAX) request.destroy(new Error('the answer is larger than any of ours'));
    });
    response.on('end', () => {
      const retryAfter = Number(response.headers['retry-after'] ?? NaN);
      resolve({
        status: response.statusCode ?? 0,
        retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : null,
        body: Buffer.concat(chunks).toString('utf8'),
      });
    });
    response.on('error', reject);
  });
  request.on('timeout', () => request.destroy(new Error(`no answer within ${HTTP_TIMEOUT_MS} ms`)));
  request.on('error', reject);
  request.end(json === undefined ? undefined : JSON.stringify(json));
  return promise;
}

/** How an error of a socket is counted: by its system code where it has one. */
export function errorKind(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
