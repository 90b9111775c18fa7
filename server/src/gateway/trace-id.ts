import { randomUUID } from 'node:crypto';

/** W3C Trace Context, level 1: version, trace id, parent id, flags. Version ff is forbidden. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;
const CURRENT_VERSION = '00-';
const CURRENT_LENGTH = 55;

/** A new trace id: 32 hex digits, of which 122 bits are random. */
export function newTraceId(): string {
  return randomUUID().replaceAll('-', '');
}

/** The trace id of a W3C `traceparent` header; null if the header is absent or not valid. */
export function traceIdOf(traceparent: string): string | null {
  if (traceparent.startsWith(CURRENT_VERSION) && traceparent.length !== CURRENT_LENGTH) return null;
  return TRACEPARENT.exec(traceparent)?.[1] ?? null;
}
