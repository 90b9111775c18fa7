import type { NetworkHints } from '@stampede/shared/client/network-hints.ts';

/** What a browser knows of the network, and that it was asleep: a page shown again may have missed the end of its socket. */
export const browserHints: NetworkHints = (heard) => {
  const listening = new AbortController();
  const { signal } = listening;
  addEventListener('offline', () => heard('lost'), { signal });
  addEventListener('online', () => heard('back'), { signal });
  addEventListener('pageshow', ({ persisted }) => persisted && heard('back'), { signal });
  document.addEventListener('visibilitychange', () => !document.hidden && heard('back'), { signal });
  return () => listening.abort();
};
