import type { ReceiptShelf } from '@stampede/shared/client/place-receipts.ts';

const keyOf = (show: number): string => `stampede.place.${show}`;

/** Receipts in the browser, for all tabs and the next visit; where storage is refused there are none. */
export const browserShelf: ReceiptShelf = {
  read(show) {
    try {
      return localStorage.getItem(keyOf(show));
    } catch {
      return null;
    }
  },
  keep(show, receipt) {
    try {
      if (receipt === null) localStorage.removeItem(keyOf(show));
      else localStorage.setItem(keyOf(show), receipt);
    } catch {
      // The place is kept by the server all the same.
    }
  },
};
