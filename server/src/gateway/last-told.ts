import type { OutsideReason, ServerMessage, ServerMessageOf } from '@stampede/shared/protocol/messages.ts';

type HoldWord = ServerMessageOf<'hold' | 'hold-ended'>;

/** What the feed says to a buyer of what is theirs. */
type OwnWord = HoldWord | ServerMessageOf<'order' | 'admitted'>;

/**
 * What a socket heard last about its standing, its hold and its order. Whoever asks is answered, and the feed tells all
 * tabs of the same, sooner or later than the answer: said twice, it would only cost bytes, and said in the wrong order it
 * would leave the buyer with old news, for good where nothing follows: let in, and then waiting as `join` found them. So what the feed says while a request is under way follows the answer, if it is then
 * still news: a push that is older than what the socket knows of the hold is dropped, whenever it comes. Of several
 * words on one thing only the newest is kept.
 */
export class LastTold {
  #hold: HoldWord | null = null;
  #order = '';
  /** Null while the last word was of a place or an admission. */
  #outside: OutsideReason | null = null;
  /** The token of the hold whose payment is accepted. */
  #accepted: number | null = null;
  #requests = 0;
  /** By what they speak of. */
  #behindAnswer: Map<string, OwnWord> | null = null;

  /** The hold that the socket believes in. */
  get liveHold(): Pick<HoldWord, 'holdToken' | 'seats' | 'revision'> | null {
    if (this.#hold?.type !== 'hold') return null;
    const { holdToken, seats, revision } = this.#hold;
    return { holdToken, seats, revision };
  }

  /** The client forgot what it knew. */
  forget(): void {
    this.#hold = null;
    this.#order = '';
    this.#outside = null;
    this.#accepted = null;
    this.#behindAnswer = null;
  }

  /** The answer to a checkout said that the payment of this hold is accepted: less must not be said of it after that. */
  acceptedFor(holdToken: number): void {
    this.#accepted = holdToken;
  }

  /** A request begins whose answer may tell what the feed tells as well. */
  asked(): void {
    this.#requests += 1;
  }

  /** It was answered, or failed; returns what is to be told after that. */
  answered(): Iterable<OwnWord> {
    this.#requests -= 1;
    if (this.#requests > 0 || !this.#behindAnswer) return [];
    const words = this.#behindAnswer.values();
    this.#behindAnswer = null;
    return words;
  }

  /** Whether a push has to wait for the answer that is under way; then it was kept for `answered`. */
  keepsBack(message: ServerMessage): boolean {
    if (this.#requests === 0 || !isOwn(message)) return false;
    this.#behindAnswer ??= new Map();
    const about = subjectOf(message);
    if (!isOvertaken(message, this.#behindAnswer.get(about))) this.#behindAnswer.set(about, message);
    return true;
  }

  /** Notes a message; false if it says again what the socket heard last, or what has been overtaken. */
  isNews(message: ServerMessage): boolean {
    if (isHold(message)) return this.#isNewHold(message);
    if (message.type === 'waiting' || message.type === 'admitted') this.#outside = null;
    // Who left after being let in, or was told of it by the answer, need not hear of it again.
    if (message.type === 'outside' || message.type === 'admitted') this.#behindAnswer?.delete('admitted');
    if (message.type === 'outside') {
      const before = this.#outside;
      this.#outside = message.reason;
      return before !== this.#outside;
    }
    if (message.type !== 'order') return true;
    const before = this.#order;
    this.#order = `${message.order.id}:${message.order.status}`;
    return before !== this.#order;
  }

  #isNewHold(word: HoldWord): boolean {
    if (this.#hold && !isNewer(word, this.#hold)) return false;
    const payment = word.type === 'hold' ? word.payment : 'none';
    if (payment === 'handing-over' && word.holdToken === this.#accepted) return false;
    this.#accepted = payment === 'accepted' ? word.holdToken : null;
    this.#hold = word;
    return true;
  }
}

const isHold = (word: ServerMessage): word is HoldWord => word.type === 'hold' || word.type === 'hold-ended';

function isOwn(message: ServerMessage): message is OwnWord {
  return isHold(message) || message.type === 'order' || message.type === 'admitted';
}

function subjectOf(word: OwnWord): string {
  if (word.type === 'order') return word.order.id;
  return isHold(word) ? 'hold' : word.type;
}

function isOvertaken(word: OwnWord, kept: OwnWord | undefined): boolean {
  return kept !== undefined && isHold(word) && isHold(kept) && !isNewer(word, kept);
}

/** 6.3 tokens rise from hold to hold, revisions within one. */
function isNewer(word: HoldWord, before: HoldWord): boolean {
  if (word.holdToken !== before.holdToken) return word.holdToken > before.holdToken;
  return word.revision > before.revision;
}
