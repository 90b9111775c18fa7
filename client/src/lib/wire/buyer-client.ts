import type { NetworkHints } from '@stampede/shared/client/connection.ts';
import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import type { ReceiptShelf } from '@stampede/shared/client/visit.ts';
import { ensureSession } from '#lib/api.ts';
import { lasting } from '#lib/browser-shelf.ts';

/** What a browser knows of the network, and that it was asleep: a page shown again may have missed the end of its socket. */
const browserHints: NetworkHints = (heard) => {
  const listening = new AbortController();
  const { signal } = listening;
  addEventListener('offline', () => heard('lost'), { signal });
  addEventListener('online', () => heard('back'), { signal });
  addEventListener('pageshow', ({ persisted }) => persisted && heard('back'), { signal });
  document.addEventListener('visibilitychange', () => !document.hidden && heard('back'), { signal });
  return () => listening.abort();
};

const keyOf = (show: number): string => `stampede.place.${show}`;

/** Receipts in the browser, for all tabs and the next visit; without one the place is kept by the server all the same. */
const browserReceipts: ReceiptShelf = {
  read: (show) => lasting.read(keyOf(show)),
  keep: (show, receipt) => lasting.keep(keyOf(show), receipt),
};

/** The buyer's line to the server this page came from; the session's cookie says who they are. */
export function buyerClient(): StampedeClient {
  return new StampedeClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/socket`,
    renewSession: async () => {
      const session = await ensureSession();
      if (!session.ok) throw new Error(`no session: ${session.failure.code} (${session.failure.status})`);
      return undefined;
    },
    hints: browserHints,
    receipts: browserReceipts,
  });
}
