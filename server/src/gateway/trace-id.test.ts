import { describe, expect, it } from 'vitest';
import { newTraceId, traceIdOf } from './trace-id.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

describe('trace ids', () => {
  it('takes the trace id of a valid traceparent', () => {
    expect(traceIdOf(`00-${TRACE}-00f067aa0ba902b7-01`)).toBe(TRACE);
  });

  it('accepts a later version with more fields', () => {
    expect(traceIdOf(`01-${TRACE}-00f067aa0ba902b7-01-later`)).toBe(TRACE);
  });

  it.each([
    ['nothing', ''],
    ['zeros as trace id', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`],
    ['zeros as parent id', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['the forbidden version', `ff-${TRACE}-00f067aa0ba902b7-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`],
    ['more fields in version 00', `00-${TRACE}-00f067aa0ba902b7-01-more`],
    ['a line break', `00-${TRACE}-00f067aa0ba902b7-01\r\nSet-Cookie: a=b`],
  ])('refuses %s', (_, header) => {
    expect(traceIdOf(header)).toBeNull();
  });

  it('makes ids of its own shape, never the same twice', () => {
    expect(newTraceId()).toMatch(/^[0-9a-f]{32}$/);
    expect(newTraceId()).not.toBe(newTraceId());
  });
});
