import type { ClientView, HoldView, Standing } from '@stampede/shared/client/stampede-client.ts';

/** What a buyer had when the connection was lost. */
export interface KeptState {
  readonly standing: Standing;
  readonly hold: HoldView | null;
  /** How far each watched section was. */
  readonly sections: ReadonlyMap<number, Position>;
}

interface Position {
  readonly epoch: number;
  readonly sequence: number;
}

/** Positions far back are told within 1 % of the queue (rule 4.2). */
const POSITION_ERROR = 0.01;

/** What `view` shows now, as it is: the view itself goes on changing. */
export function stateToKeep({ standing, hold, sections }: ClientView): KeptState {
  const positions = [...sections].map(
    ([section, { epoch, sequence }]) => [section, { epoch, sequence }] as const,
  );
  return { standing, hold, sections: new Map(positions) };
}

/**
 * What a reconnect lost, as words for a report; null if everything was kept [P4, P5].
 * @param serverNow the server's time, in milliseconds since the Unix epoch
 */
export function lostOf(before: KeptState, after: KeptState, serverNow: number): string | null {
  return (
    lostStanding(before.standing, after.standing, serverNow) ??
    lostHold(before.hold, after.hold, serverNow) ??
    lostSections(before.sections, after.sections)
  );
}

function lostStanding(before: Standing, after: Standing, serverNow: number): string | null {
  if (before.state === 'admitted') {
    const hasEnded = before.deadline <= serverNow;
    return after.state === 'admitted' || hasEnded ? null : `the admission became ${after.state}`;
  }
  if (before.state !== 'waiting' || after.state === 'admitted') return null;
  if (after.state !== 'waiting') return `the place became ${after.state}`;
  const tolerance = Math.ceil((before.position + before.behind) * POSITION_ERROR);
  if (after.position <= before.position + tolerance) return null;
  return `the place moved from ${before.position} back to ${after.position}`;
}

function lostHold(before: HoldView | null, after: HoldView | null, serverNow: number): string | null {
  if (!before || before.expiresAt <= serverNow || before.payment !== 'none') return null;
  if (after?.holdToken !== before.holdToken) return 'the hold is gone';
  return before.seats.every((seat) => after.seats.includes(seat)) ? null : 'the hold lost seats';
}

function lostSections(before: KeptState['sections'], after: KeptState['sections']): string | null {
  for (const [section, { epoch, sequence }] of before) {
    const now = after.get(section);
    if (now?.epoch !== epoch) return `section ${section} began anew`;
    if (now.sequence < sequence) return `section ${section} went back`;
  }
  return null;
}
