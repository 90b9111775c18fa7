export interface SeatWord {
  readonly seat: number;
  readonly status: number;
}

/** What a peer's server does for us. */
export interface Peer {
  /** Returns the port. */
  listen(): Promise<number>;
  /** Tells everybody of one change, now or with the next patch. */
  change(word: SeatWord): void;
  /** Tells everybody of several. */
  changes(words: readonly SeatWord[]): void;
}
