/** `npm run bench`: measures the system beside its yardsticks, and writes `docs/benchmarks.md` from all of it. */
import { type BenchArguments, isTrial, readArguments, usage } from './bench/arguments.ts';
import { runBenchmark } from './bench/benchmark.ts';
import { BENCHMARKS } from './bench/benchmarks.ts';
import { type Measured, reportLines, summarise, writeDocument } from './bench/report.ts';
import { load, machine } from './bench/surroundings.ts';
import { runTask } from './tasks/task.ts';

const NAMES = BENCHMARKS.map(({ name }) => name);

async function bench(args: BenchArguments): Promise<void> {
  const { names, json, runs, size, profile } = args;
  const stream = json ? process.stderr : process.stdout;
  const say = (line: string): void => void stream.write(`${line}\n`);
  const circumstances = [
    `${machine()}, everything on it; Node ${process.versions.node}`,
    `${new Date().toISOString().slice(0, 10)}, ${runs} runs each; load average before: ${load().toFixed(1)}`,
  ];
  for (const line of circumstances) say(line);
  if (isTrial(args)) say('A trial: its figures count for nothing.');
  const all: Measured[] = [];
  for (const benchmark of BENCHMARKS.filter(({ name }) => names.includes(name))) {
    const context = { name: benchmark.name, runs, size, profile, say: (line: string) => say(`  … ${line}`) };
    const measured = { benchmark, findings: await runBenchmark(benchmark, context) };
    for (const line of ['', ...reportLines(measured)]) say(line);
    process.stdout.write(`${JSON.stringify(summarise(measured))}\n`);
    all.push(measured);
  }
  if (profile !== null) say(`\nCPU profiles, to be opened with Chrome DevTools or an editor: ${profile}`);
  if (all.length === BENCHMARKS.length && !isTrial(args))
    say(`\nWritten: ${writeDocument(all, circumstances)}`);
}

await runTask(async () => {
  const args = readArguments(process.argv.slice(2), NAMES);
  if (args) await bench(args);
  else process.stdout.write(`${usage(NAMES)}\n`);
  return undefined;
});
