import type { ClientView } from './client-view.ts';
import type { Connection } from './connection.ts';
import type { ServerTime } from './server-time.ts';
import type { ShowState } from './show-state.ts';
import type { WatchedSections } from './watched-sections.ts';

/** The view on all parts of a client: each property reads the part that owns it. */
export function viewOf(
  connection: Connection,
  time: ServerTime,
  show: ShowState,
  sections: WatchedSections,
): ClientView {
  return {
    get connection() {
      return connection.view;
    },
    get serverTimeOffsetMs() {
      return time.offsetMs;
    },
    get sale() {
      return show.sale;
    },
    get phase() {
      return show.phase;
    },
    get standing() {
      return show.standing;
    },
    get hold() {
      return show.hold;
    },
    orders: show.orders,
    summaries: show.summaries,
    sections: sections.states,
  };
}
