import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

/** A function, and its share of the time in which the process did something; without what it called. */
export interface SelfTime {
  readonly where: string;
  readonly share: number;
}

const IDLE = new Set(['(idle)', '(root)', '(program)']);
const FILE_PARTS_SHOWN = 2;

/**
 * The functions that take most of the time of a process, by a `.cpuprofile` of V8. System calls of native code count
 * for the JavaScript that made them, where there is any.
 * @throws ZodError if it is no such profile
 */
export function topSelfTimes(profile: unknown, count: number): readonly SelfTime[] {
  const { nodes, samples, timeDeltas } = profileShape.parse(profile);
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map<string, number>();
  let total = 0;
  samples.forEach((id, index) => {
    const frame = names.get(id);
    const delta = Math.max(0, timeDeltas[index] ?? 0);
    if (!frame || IDLE.has(frame.functionName)) return;
    const file = frame.url.split('/').slice(-FILE_PARTS_SHOWN).join('/');
    const name = frame.functionName || '(anonymous)';
    const where = file === '' ? name : `${name} ${file}:${frame.lineNumber + 1}`;
    times.set(where, (times.get(where) ?? 0) + delta);
    total += delta;
  });
  return [...times]
    .map(([where, time]) => ({ where, share: time / total }))
    .toSorted((a, b) => b.share - a.share)
    .slice(0, count);
}

/** Every profile in a folder, summed up in lines for people. */
export function profileLines(folder: string, count: number): readonly string[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'));
  return files.toSorted().flatMap((file) => {
    const profile: unknown = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const lines = topSelfTimes(profile, count).map(
      ({ where, share }) => `  ${(share * 100).toFixed(1).padStart(5)} %  ${where}`,
    );
    return ['', join(folder, file), ...lines];
  });
}
