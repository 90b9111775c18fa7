import type { SessionId } from '../platform/ids.ts';
import type { WaitingRoomParts } from './join-waiting-room.ts';
import { type OnSale, rulesOf } from './waiting-room-rules.ts';
import type { Standing } from './waiting-room-store.ts';

export interface LeaveRequest {
  readonly show: OnSale;
  readonly session: SessionId;
  /** `left`: the buyer wished so; `finished`: their order is confirmed, and somebody else may shop now. */
  readonly reason: 'left' | 'finished';
}

/**
 * Gives up a session's place or admission in every phase; the slot is free at once [X4]. Returns where the session
 * stands then. Who was outside already stays so for the old reason.
 */
export async function leaveWaitingRoom(
  { store, settings }: WaitingRoomParts,
  { show, session, reason }: LeaveRequest,
  now: number,
): Promise<Standing> {
  return store.leave(rulesOf(show, settings), session, reason, now);
}
