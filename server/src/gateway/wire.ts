import type { CloseReason } from '@stampede/shared/protocol/codes.ts';

/** Why a socket ends: with a close code, or cut, because who doesn't read can't be told. */
export type EndReason = CloseReason | 'slow-reader';

/**
 * One socket as the rest of the gateway sees it. After `close`, or once the other side is gone, every method does
 * nothing: a command that took a while may well answer into a socket that left.
 */
export interface Wire {
  send(frame: Uint8Array): void;
  close(reason: EndReason): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Frames sent by `run` leave together. */
  cork(run: () => void): void;
}
