import { createRequire } from 'node:module';

/** What is mended of kafkajs's queue of requests; the library gives it no type. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const isRequestQueue = (value: unknown): value is { readonly prototype: RequestQueue } =>
  typeof value === 'function' &&
  typeof (value as Partial<{ prototype: Partial<RequestQueue> }>).prototype?.scheduleCheckPendingRequests ===
    'function';

let isMended = false;

/**
 * Mends kafkajs 2.2.4, which after every answer sets a timer for requests that wait, though none does, and counts its
 * delay from a throttling that never was: minus the present time, which Node 24 warns of
 * (`TimeoutNegativeWarning`). A request that does wait gets its timer when it is queued, so with none waiting
 * nothing is to be set. Another release, whose queue looks different, is left as it is.
 */
export function mendRequestQueue(): void {
  if (isMended) return;
  isMended = true;
  const queue: unknown = createRequire(import.meta.url)('kafkajs/src/network/requestQueue');
  if (!isRequestQueue(queue)) return;
  const schedule = Reflect.get(queue.prototype, 'scheduleCheckPendingRequests');
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
