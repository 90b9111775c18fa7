/** `npm run crowd`: sends simulated buyers into a sale and tells what became of them. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemRandom } from '@stampede/shared/platform/random.ts';
import { type CrowdArguments, CrowdError, readArguments, USAGE } from './crowd/arguments.ts';
import { CrowdRun, type Ending } from './crowd/crowd-run.ts';
import { audit, type LedgerPage } from './crowd/ledger.ts';
import { LedgerUnreadable, readLedger } from './crowd/ledger-reading.ts';
import { showProgress } from './crowd/progress.ts';
import { describe, isClean, type LedgerWord, summarise } from './crowd/report.ts';
import { openFilesMax } from '../src/gateway/open-files.ts';
import { type CrowdShow, findShow } from './shopper/ticket-office.ts';
import { readStackEnvironment } from './stack/stack-environment.ts';
import { STACK_FOLDER } from './stack/stack-folder.ts';

const EXIT_UNCLEAN = 1;
const EXIT_CANNOT_SET_OUT = 2;
const EXIT_INTERRUPTED = 130;

/** Files a process has open besides its buyers' sockets, generously. */
const OTHER_FILES = 200;
const SEEDS = 1_000_000;
const NS_PER_MS = 1_000_000;

/** What the database said, or why it could not be read. */
type Reading = { readonly page: LedgerPage } | { readonly reason: string };

async function readPage(args: CrowdArguments, show: CrowdShow): Promise<Reading> {
  try {
    return { page: await readLedger(args.ledgers, show.id, show.drawCommitment) };
  } catch (cause) {
    if (cause instanceof LedgerUnreadable) return { reason: cause.message };
    throw cause;
  }
}

function checkPossible(args: CrowdArguments, show: CrowdShow): void {
  const filesMax = openFilesMax();
  if (filesMax !== null && args.buyers + OTHER_FILES > filesMax) {
    throw new CrowdError(
      `--buyers: ${args.buyers} need as many sockets, and this process may have ${filesMax} files open; ` +
        `take at most ${filesMax - OTHER_FILES}, or raise the limit (ulimit -n).`,
    );
  }
  if (args.seatsPerBuyer !== null && args.seatsPerBuyer > show.seatsPerBuyer) {
    throw new CrowdError(
      `--seats-per-buyer: ${args.seatsPerBuyer} is more than this show allows, ${show.seatsPerBuyer}.`,
    );
  }
  if (args.seat !== null && args.seat >= show.map.seatCount) {
    throw new CrowdError(
      `--seat: ${args.seat} is none of this show's seats, 0 to ${show.map.seatCount - 1}.`,
    );
  }
  const untilOpening = show.opensAt - Date.now();
  if (untilOpening > args.timeoutMs) {
    throw new CrowdError(
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

/** The show as the first gateway tells it; the others must sell the same. */
async function findSharedShow({ servers, show: wanted }: CrowdArguments): Promise<CrowdShow> {
  const [first, ...others] = servers;
  const show = await findShow(first, wanted);
  for (const other of others) {
    const { drawCommitment } = await findShow(other, String(show.id));
    if (drawCommitment === show.drawCommitment) continue;
    throw new CrowdError(`--url: ${other.origin} and ${first.origin} sell different shows.`);
  }
  return show;
}

async function crowd(args: CrowdArguments): Promise<number> {
  const say = args.json ? process.stderr : process.stdout;
  const show = await findSharedShow(args);
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
  const endProgress = showProgress(run, say);
  const ending: Ending = await run.run();
  endProgress();
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

try {
  const newSeed = Math.floor(systemRandom() * SEEDS);
  const stackDatabase = readStackEnvironment(STACK_FOLDER)?.['DATABASE_URL'] ?? null;
  const args = readArguments(process.argv.slice(2), process.env, newSeed, stackDatabase);
  if (args) process.exitCode = await crowd(args);
  else process.stdout.write(`${USAGE}\n`);
} catch (error) {
  if (!(error instanceof CrowdError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = EXIT_CANNOT_SET_OUT;
}
