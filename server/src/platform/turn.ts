/**
 * Runs a task after everything that arrived in this turn of the event loop has been handled. Batching by turns
 * costs no waiting: a lone request goes at once, a thousand that came together go together.
 */
export type NextTurn = (task: () => void) => void;

export const nextTurn: NextTurn = (task) => void setImmediate(task);
