import { StampedeClient } from '@stampede/shared/client/stampede-client.ts';
import { ensureSession } from '#lib/api.ts';
import { browserHints } from './browser-hints.ts';
import { browserShelf } from './receipt-shelf.ts';

/** The buyer's line to the server this page came from; the session's cookie says who they are. */
export function buyerClient(): StampedeClient {
  return new StampedeClient({
    url: `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/socket`,
    renewSession: () => ensureSession(fetch).then(() => undefined),
    hints: browserHints,
    receipts: browserShelf,
  });
}
