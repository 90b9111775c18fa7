/** Told to whoever wanted a server as it stands: which part, what is wrong, what to do about it. */
export class StackError extends Error {
  override readonly name = 'StackError';
}

/** Hears in short words what is being done, for the one who waits. */
export type Report = (message: string) => void;
