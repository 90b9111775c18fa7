/** `npm run bench`: measures the system beside its yardsticks, and writes `docs/benchmarks.md` from all of it. */
import { type BenchArguments, ALL, readArguments, usage } from './bench/arguments.ts';
import { BenchError } from './bench/bench-error.ts';
import { BENCHMARKS } from './bench/benchmarks.ts';
import { type Measured, writeDocument } from './bench/document/write-document.ts';
import { tellObservation } from './bench/document/write-observation.ts';
import { load, machine } from './bench/machine.ts';
import { observerFor } from './bench/observing/observer-for.ts';
import { describe, summarise } from './bench/report.ts';
import { runBenchmark } from './bench/run-benchmark.ts';
import { nodeVersion } from './bench/installed-version.ts';

const EXIT_CANNOT_MEASURE = 2;
const NAMES = BENCHMARKS.map(({ name }) => name);

async function bench({ name, json, runs, size, observe }: BenchArguments): Promise<void> {
  const stream = json ? process.stderr : process.stdout;
  const say = (line: string): void => void stream.write(`${line}\n`);
  const chosen = BENCHMARKS.filter((one) => name === ALL || one.name === name);
  const loadBefore = load().toFixed(1);
  say(`${machine()}; ${nodeVersion()}; load average ${loadBefore}`);
  if (size < 1) say(`A trial with ${size} of the load: its figures count for nothing.`);
  const circumstances = [
    `${machine()}, everything on it; ${nodeVersion()}`,
    `${new Date().toISOString().slice(0, 10)}, ${runs} runs each; load average before: ${loadBefore}`,
  ];
  const all: Measured[] = [];
  for (const benchmark of chosen) {
    const observer = observe && observerFor(observe, benchmark.name);
    const findings = await runBenchmark(benchmark, {
      runs,
      size,
      observer,
      say: (line) => say(`  … ${line}`),
    });
    for (const line of describe(benchmark, findings)) say(line);
    if (observer) {
      const command = `npm run bench -- ${benchmark.name} --runs ${runs} --size ${size} --${observe.kind} FOLDER`;
      const seen = {
        benchmark: benchmark.name,
        notes: [`\`${command}\``, ...circumstances],
        tables: observer.tables(),
      };
      for (const line of tellObservation(observe, seen)) say(line);
    }
    process.stdout.write(`${JSON.stringify(summarise(benchmark, findings))}\n`);
    all.push({ benchmark, findings });
  }
  if (name !== ALL || size < 1 || observe) return;
  say(`\nWritten: ${writeDocument(all, circumstances)}`);
}

try {
  const args = readArguments(process.argv.slice(2), NAMES);
  if (args) await bench(args);
  else process.stdout.write(`${usage(NAMES)}\n`);
} catch (error) {
  if (!(error instanceof BenchError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT_CANNOT_MEASURE;
}
