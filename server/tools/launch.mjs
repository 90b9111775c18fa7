/**
 * `npm start`, `npm test` and the other tasks come through here: install what the lock file asks for if that
 * hasn't happened yet, then run `<task>.ts` of server/tools or artillery on the project's own Node. It runs on the host's Node
 * (18 or newer) with nothing installed, so it uses only what Node itself brings.
 */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { ROOT, isInstalled } from './install/installed-packages.mjs';
import { UwsBinaryError, repairUwsBinary, runningGlibc } from './install/uws-binary.mjs';

const EXIT_CANNOT_START = 2;
const HOST_NODE_MAJOR_MIN = 18;
/** Silence longer than this looks like a hang to someone watching a log. */
const PROGRESS_INTERVAL_MS = 10_000;
/** npm says first what failed, and then at length how it is to be used. */
const OUTPUT_LINES_SHOWN = 25;
/** How soon a task notices that the npm that started it is gone. */
const PARENT_CHECK_MS = 500;
const PLATFORMS = ['linux x64', 'linux arm64', 'darwin x64', 'darwin arm64', 'win32 x64'];
/**
 * Warnings that say nothing to whoever runs a task: node:sqlite announces itself as experimental at each start, and
 * kafkajs asks for timeouts in the past when a broker doesn't throttle it, which Node takes as "at once".
 */
const QUIET = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
const SIGNALS = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

const TASK_FOLDERS = [join(ROOT, 'server', 'tools'), join(ROOT, 'artillery')];
const MODULES = join(ROOT, 'node_modules');

/** Something outside the project keeps a task from starting; the message says what to do. */
class CannotStart extends Error {}

/** @param {string | undefined} task */
function taskFile(task) {
  const files = TASK_FOLDERS.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)));
  const tasks = new Map(
    files.flatMap((file) => (/(?<!\.test)\.ts$/.test(file) ? [[basename(file, '.ts'), file]] : [])),
  );
  const file = tasks.get(task ?? '');
  if (file !== undefined) return file;
  throw new CannotStart(
    `There is no task ${JSON.stringify(task ?? '')}. Tasks: ${[...tasks.keys()].join(', ')}.`,
  );
}

function checkHost() {
  const platform = `${process.platform} ${process.arch}`;
  if (!PLATFORMS.includes(platform)) {
    throw new CannotStart(`Stampede runs on ${PLATFORMS.join(', ')}; this is ${platform}.`);
  }
  if (process.platform === 'linux' && runningGlibc() === undefined) {
    throw new CannotStart(
      'Stampede needs a Linux with glibc; this one (Alpine, perhaps) has another C library.',
    );
  }
  if (Number(process.versions.node.split('.')[0]) < HOST_NODE_MAJOR_MIN) {
    throw new CannotStart(
      `Stampede needs Node ${HOST_NODE_MAJOR_MIN} or newer to start; this is ${process.version}.`,
    );
  }
}

/** The npm that called us if one did, else the one on the path. */
function npmCommand() {
  const script = process.env.npm_execpath;
  if (script && /npm-cli\.[cm]?js$/.test(script)) return { command: process.execPath, first: [script] };
  return { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', first: [] };
}

/** One line that grows on a terminal, one line now and then in a log. */
function showProgress() {
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const line = 'Installing dependencies';
  const { isTTY } = process.stderr;
  process.stderr.write(isTTY ? `${line} …` : `${line} (once; about a minute) …\n`);
  const timer = setInterval(
    () => process.stderr.write(isTTY ? `\r${line} … ${seconds()} s` : `${line} … ${seconds()} s\n`),
    isTTY ? 1000 : PROGRESS_INTERVAL_MS,
  );
  let finished = false;
  return (/** @type {string} */ result) => {
    // A program that can't be run reports an error and then its end.
    if (finished) return;
    finished = true;
    clearInterval(timer);
    process.stderr.write(`${isTTY ? '\r' : ''}${line}: ${result} after ${seconds()} s.\n`);
  };
}

/** @returns {Promise<void>} */
function install() {
  const { command, first } = npmCommand();
  // Engine warnings speak of the host's Node, which none of the packages will run on.
  const args = [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'];
  const finish = showProgress();
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: command.endsWith('.cmd'),
    });
    /** @type {string[]} */
    let output = [];
    const keep = (/** @type {Buffer} */ chunk) => {
      output = [...output, ...chunk.toString().split('\n')].filter(Boolean).slice(0, OUTPUT_LINES_SHOWN);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', (error) => {
      finish('failed');
      reject(
        new CannotStart(`npm could not be run (${error.message}). Install Node with npm and try again.`),
      );
    });
    child.once('close', (code) => {
      finish(code === 0 ? 'done' : 'failed');
      if (code === 0) resolve();
      else reject(new CannotStart(`npm ci failed:\n${output.join('\n')}`));
    });
  });
}

/**
 * npm starts a task through a shell, and a signal sent to npm ends that shell without reaching us. The shell's
 * death is then the only sign that someone wants the task to stop.
 *
 * @param {() => void} stop
 */
function stopWithNpm(stop) {
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, PARENT_CHECK_MS);
  timer.unref();
}

/**
 * @param {string} file
 * @param {string[]} args
 */
function run(file, args) {
  const bin = join(MODULES, '.bin');
  const node = join(MODULES, 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(node)) {
    throw new CannotStart(
      "Node 24 is not installed: npm didn't run the install script of the package `node`. " +
        'Allow install scripts (npm config ignore-scripts=false), delete node_modules and try again.',
    );
  }
  const path = `${bin}${delimiter}${process.env.PATH ?? ''}`;
  const child = spawn(node, [...QUIET, file, ...args], {
    stdio: 'inherit',
    // Half of the time that a process takes to start is compiling, and the next one needs the same code.
    env: { NODE_COMPILE_CACHE: join(MODULES, '.cache', 'node'), ...process.env, PATH: path },
  });
  for (const signal of SIGNALS) {
    process.on(signal, () => {
      // A terminal sends Ctrl-C to the whole group: passing it on would make it two.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  stopWithNpm(() => child.kill('SIGTERM'));
  child.once('error', (error) => {
    console.error(`Node 24 could not be run: ${error.message}`);
    process.exit(EXIT_CANNOT_START);
  });
  child.once('exit', (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)));
}

try {
  const [task, ...args] = process.argv.slice(2);
  const file = taskFile(task);
  checkHost();
  if (!isInstalled()) await install();
  // Cheap enough to repeat: a package put back by hand is repaired again.
  repairUwsBinary({ packageFolder: join(MODULES, 'uWebSockets.js') });
  run(file, args);
} catch (error) {
  if (!(error instanceof CannotStart) && !(error instanceof UwsBinaryError)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_CANNOT_START;
}
