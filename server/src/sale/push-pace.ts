/** Near the head every step counts, and the few who stand there are told at once. */
const NEAR_PLACES = 200;
const NEAR_MS = 1_000;
const MIDDLE_PLACES = 5_000;
const MIDDLE_MS = 5_000;
const FAR_MS = 10_000;

/** The number of people in the lobby is worth a message this often. */
export const LOBBY_PUSH_MS = 5_000;

/** How long after one message a buyer with `ahead` people in front gets the next, in milliseconds. */
export function pushIntervalMs(ahead: number): number {
  if (ahead < NEAR_PLACES) return NEAR_MS;
  return ahead < MIDDLE_PLACES ? MIDDLE_MS : FAR_MS;
}
