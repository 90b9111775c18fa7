import { z } from 'zod';
import type { HttpExchange } from './http-exchange.ts';

const JSON_TYPE = /^application\/json\s*(;|$)/i;

/** The body as `schema` reads it, no body being an empty object; null if it is no such thing, which is answered. */
export async function readJson<T>(exchange: HttpExchange, schema: z.ZodType<T>): Promise<T | null> {
  const body = await exchange.body();
  switch (body.kind) {
    case 'too-large':
      exchange.refuse(413, 'too-large', 'The body is larger than this interface ever needs.');
      return null;
    case 'unfinished':
      exchange.refuse(408, 'too-slow', 'The body did not arrive in time.');
      return null;
    case 'bytes':
      return read(exchange, body.bytes, schema);
    default:
      return body satisfies never;
  }
}

function read<T>(exchange: HttpExchange, bytes: Uint8Array, schema: z.ZodType<T>): T | null {
  if (bytes.length > 0 && !JSON_TYPE.test(exchange.headers.contentType)) {
    exchange.refuse(415, 'unsupported-media-type', 'Send the body as application/json, or none.');
    return null;
  }
  const value = bytes.length === 0 ? {} : parsedJson(bytes);
  if (value === undefined) {
    exchange.refuse(400, 'malformed', 'The body is not JSON in UTF-8.');
    return null;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  exchange.refuse(422, 'invalid', z.prettifyError(parsed.error));
  return null;
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}
