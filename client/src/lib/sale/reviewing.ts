import { goto } from '$app/navigation';
import { page } from '$app/state';

/** Whether the buyer checks out what they hold: a place of its own in the browser's history, where Back leads to the seats. */
export interface Reviewing {
  readonly current: boolean;
  set(reviewing: boolean): void;
}

export const reviewing: Reviewing = {
  get current() {
    return page.state.reviewing === true;
  },
  set(on) {
    if (on === this.current) return;
    // Kept over a reload, which lands where the buyer was [P4].
    // eslint-disable-next-line svelte/no-navigation-without-resolve -- this very page, wherever it is
    if (on) void goto('', { state: { reviewing: true }, shallow: true, persistState: true });
    else history.back();
  },
};
