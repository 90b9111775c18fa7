/** `npm run crowd`: sends simulated buyers into a sale and tells what became of them. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { type CrowdArguments, readArguments, USAGE } from './crowd/arguments.ts';
import { CrowdRun, type Ending } from './crowd/crowd-run.ts';
import { readLedger } from './crowd/ledger-reading.ts';
import { audit, type LedgerPage } from './crowd/ledger.ts';
import { taskSurroundings } from './crowd/places.ts';
import { describe, isClean, type LedgerWord, progressLine, summarise } from './crowd/report.ts';
import { checkOpenFiles } from './shopper/sockets.ts';
import { type CrowdShow, findSharedShow } from './shopper/ticket-office.ts';
import { ProgressLine, runTask, TaskError } from './tasks/task.ts';

const EXIT_UNCLEAN = 1;
const EXIT_INTERRUPTED = 130;

const SEEDS = 1_000_000;
const NS_PER_MS = 1_000_000;
const MS_PER_SECOND = 1_000;

/** What the database said, or why it could not be read. */
type Reading = { readonly page: LedgerPage } | { readonly reason: string };

async function readPage(args: CrowdArguments, show: CrowdShow): Promise<Reading> {
  try {
    return { page: await readLedger(args.ledgers, show.id, show.drawCommitment) };
  } catch (cause) {
    if (cause instanceof TaskError) return { reason: cause.message };
    throw cause;
  }
}

function checkPossible(args: CrowdArguments, show: CrowdShow): void {
  checkOpenFiles('--buyers', args.buyers);
  if (args.seatsPerBuyer !== null && args.seatsPerBuyer > show.seatsPerBuyer) {
    throw new TaskError(
      `--seats-per-buyer: ${args.seatsPerBuyer} is more than this show allows, ${show.seatsPerBuyer}.`,
    );
  }
  if (args.seat !== null && args.seat >= show.map.seatCount) {
    throw new TaskError(`--seat: ${args.seat} is none of this show's seats, 0 to ${show.map.seatCount - 1}.`);
  }
  const untilOpening = show.opensAt - Date.now();
  if (untilOpening > args.timeoutMs) {
    throw new TaskError(
      `--show: "${show.title}" opens at ${new Date(show.opensAt).toISOString()}, ` +
        `after the crowd would have gone home; wait, or give a longer --timeout.`,
    );
  }
}

function compare(run: CrowdRun, show: CrowdShow, before: Reading, after: Reading): LedgerWord {
  if (!('page' in before)) return { read: false, reason: before.reason };
  if (!('page' in after)) return { read: false, reason: after.reason };
  const { told, keys, undecided, tally } = run;
  const seatCount = show.map.seatCount;
  const result = audit({ before: before.page, after: after.page, told, keys, undecided, seatCount });
  for (const { kind, buyer } of result.findings) tally.error(kind, buyer);
  return { read: true, ...result };
}

async function crowd(args: CrowdArguments): Promise<number> {
  const say = args.json ? process.stderr : process.stdout;
  const show = await findSharedShow(args.servers, args.show);
  checkPossible(args, show);
  const before = await readPage(args, show);
  say.write(
    `${args.buyers} buyers for ${args.seat === null ? '' : `seat ${args.seat} of `}"${show.title}" ` +
      `(${show.map.seatCount} seats) at ${args.servers.map((server) => server.origin).join(' and ')}\n`,
  );
  if ('reason' in before) say.write(`The database can't be read: ${before.reason}.\n`);

  const run = new CrowdRun(args, show);
  const onInterrupt = (): void => {
    process.once('SIGINT', () => run.vanish());
    say.write('\nGoing home; interrupt again to leave at once.\n');
    run.interrupt();
  };
  process.once('SIGINT', onInterrupt);
  const ownDelay = monitorEventLoopDelay({ resolution: 10 });
  ownDelay.enable();
  const startedAt = performance.now();
  const progress = new ProgressLine(say);
  const telling = setInterval(
    () =>
      progress.show(progressLine((performance.now() - startedAt) / MS_PER_SECOND, run.state(), run.tally)),
    MS_PER_SECOND,
  );
  const ending: Ending = await run.run();
  clearInterval(telling);
  progress.end();
  ownDelay.disable();

  const word = compare(run, show, before, await readPage(args, show));
  const summary = summarise(args.buyers, run.tally, word);
  const circumstances = {
    show: show.title,
    seed: args.seed,
    seconds: (performance.now() - startedAt) / 1_000,
    ownDelayMs: ownDelay.percentile(99) / NS_PER_MS,
  };
  say.write(`${describe(summary, run.tally, word, circumstances).join('\n')}\n`);
  process.stdout.write(`${JSON.stringify(summary)}\n`);
  if (ending === 'interrupted') return EXIT_INTERRUPTED;
  return isClean(summary) ? 0 : EXIT_UNCLEAN;
}

await runTask(async () => {
  const newSeed = Math.floor(systemRandom() * SEEDS);
  const args = readArguments(process.argv.slice(2), taskSurroundings(), newSeed);
  if (args) return crowd(args);
  process.stdout.write(`${USAGE}\n`);
  return undefined;
});
