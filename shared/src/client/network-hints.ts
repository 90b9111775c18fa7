/**
 * What the surroundings know of the network before a socket does: it seems `lost`, or it may be `back`, as after waking
 * or leaving a tunnel. No proof of anything, but reason enough to ask.
 */
export type NetworkHint = 'lost' | 'back';

/** Calls `heard` with each hint, until the returned function is called. */
export type NetworkHints = (heard: (hint: NetworkHint) => void) => () => void;
