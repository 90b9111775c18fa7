import type { ServerMessage, ServerMessageOf } from '@stampede/shared/protocol/messages.ts';

type HoldWord = ServerMessageOf<'hold'> | ServerMessageOf<'hold-ended'>;

/**
 * What a socket heard last about its hold and its order. Whoever asked has their answer before the feed tells all
 * tabs of the same; that push would only cost bytes.
 */
export class LastTold {
  #hold: HoldWord | null = null;
  #order = '';

  /** The hold that the socket believes in. */
  get liveHold(): Pick<HoldWord, 'holdToken' | 'seats'> | null {
    if (this.#hold?.type !== 'hold') return null;
    const { holdToken, seats } = this.#hold;
    return { holdToken, seats };
  }

  /** The client forgot what it knew. */
  forget(): void {
    this.#hold = null;
    this.#order = '';
  }

  /** Notes a message; false if it says again what the socket heard last. */
  isNews(message: ServerMessage): boolean {
    if (message.type === 'hold' || message.type === 'hold-ended') {
      const before = this.#hold;
      this.#hold = message;
      return !before || !isSame(before, message);
    }
    if (message.type !== 'order') return true;
    const before = this.#order;
    this.#order = `${message.order.id}:${message.order.status}`;
    return before !== this.#order;
  }
}

function isSame(a: HoldWord, b: HoldWord): boolean {
  if (a.type !== b.type || a.holdToken !== b.holdToken) return false;
  if (a.type !== 'hold' || b.type !== 'hold') return true;
  return a.expiresAt === b.expiresAt && a.orderId === b.orderId && a.seats.join() === b.seats.join();
}
