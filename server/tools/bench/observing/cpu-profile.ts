import { z } from 'zod';

const profileShape = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
    }),
  ),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** A function, and the time in it without what it called. */
export interface SelfTime {
  readonly where: string;
  /** Of the time in which the process was at it. */
  readonly share: number;
  readonly ms: number;
}

const IDLE = new Set(['(idle)', '(root)']);
const MICROSECONDS = 1_000;

/** Adds up what functions took by V8's CPU profiles (`.cpuprofile`), one or several of the same process. */
export class SelfTimes {
  readonly #times = new Map<string, number>();

  /**
   * System calls and native code count for the JavaScript that made them, where there is any.
   * @throws ZodError if it is no such profile
   */
  add(profile: unknown): void {
    const { nodes, samples, timeDeltas } = profileShape.parse(profile);
    const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
    samples.forEach((id, index) => {
      const frame = frames.get(id);
      if (!frame || IDLE.has(frame.functionName)) return;
      const where = whereOf(frame.functionName || '(anonymous)', frame.url, frame.lineNumber);
      const delta = Math.max(0, timeDeltas[index] ?? 0) / MICROSECONDS;
      this.#times.set(where, (this.#times.get(where) ?? 0) + delta);
    });
  }

  /** The functions that took most, at most `count`. */
  top(count: number): readonly SelfTime[] {
    const total = this.totalMs;
    return [...this.#times]
      .map(([where, ms]) => ({ where, ms, share: ms / total }))
      .toSorted((a, b) => b.ms - a.ms)
      .slice(0, count);
  }

  /** Of all functions. */
  get totalMs(): number {
    return [...this.#times.values()].reduce((sum, ms) => sum + ms, 0);
  }
}

/** The room and file of ours, the package and file of others. */
function whereOf(name: string, url: string, lineNumber: number): string {
  const file = url.split(/\/node_modules\/|\/server\/src\/|\/(?=shared\/src\/)/).at(-1) ?? '';
  return file === '' ? name : `${name} ${file}:${lineNumber + 1}`;
}
