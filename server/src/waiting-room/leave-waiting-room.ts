import type { SessionId } from '../platform/ids.ts';
import type { WaitingRoomParts } from './join-waiting-room.ts';
import { type OnSale, rulesOf } from './waiting-room-rules.ts';
import type { Standing } from './waiting-room-store.ts';

type Rooms = Pick<WaitingRoomParts, 'store' | 'settings'>;

/**
 * Gives up a session's place or admission, in every phase, because the buyer wishes so; the slot is free at once [X4].
 * Returns where the session stands then. Who was outside already stays so for the old reason.
 */
export async function leaveWaitingRoom(
  { store, settings }: Rooms,
  show: OnSale,
  session: SessionId,
): Promise<Standing> {
  return store.leave(rulesOf(show, settings), session);
}

/**
 * Ends the visit in which a confirmed order was begun, in every phase: somebody else may shop now. A visit that the
 * buyer began after the order goes on, however late, and however often, this is asked for [P4].
 */
export async function finishVisit(
  { store, settings }: Rooms,
  show: OnSale,
  session: SessionId,
  orderedAt: number,
): Promise<void> {
  await store.finish(rulesOf(show, settings), session, orderedAt);
}
