import type { Table } from '../table.ts';

/** What an observer needs of a server of ours. */
export interface ObservedServer {
  readonly pid: number;
  /** Where Node's inspector listens. */
  readonly inspectorUrl: string;
}

/** Servers by what they are called in the report. */
export type Observed = ReadonlyMap<string, ObservedServer>;

/** Looks closely at our servers while something is measured, and only then. Figures are lower meanwhile. */
export interface Observer {
  /** What Node.js must be started with for it. */
  readonly nodeOptions: readonly string[];
  /** A window opens: nothing that counts may happen before this resolves. */
  readonly open: (servers: Observed) => Promise<void>;
  /** It closes: what is done from here on doesn't count. */
  readonly close: () => Promise<void>;
  /** Lets go of servers that are still looked at, because a measurement failed within a window. */
  readonly release: () => Promise<void>;
  /** What was seen in all windows. */
  readonly tables: () => readonly Table[];
}
