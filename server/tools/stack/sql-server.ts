import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { spawnSync } from 'node:child_process';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { runGuarded } from '../checks/child-process.ts';
import type { ServerPlace, ServerRecipe } from './native-server.ts';
import { LOOPBACK } from './ports.ts';
import { type Report, TaskError } from '../tasks/task.ts';

/** Whom a database server becomes when root starts it. */
export interface ServerAccount {
  readonly name: string;
  own(path: string): void;
}

const UNPRIVILEGED = ['mysql', 'nobody'];
const CAN_ENTER_ALL = 'for folder; do test -x "$folder" || exit 1; done';

/**
 * A database server refuses root's rights unless told by name which account to take. An unprivileged one where it
 * may enter all of `folders`; root itself where it may not, as in a checkout inside root's home.
 * @returns undefined when we aren't root and there is nothing to give up
 */
export function chooseServerAccount(folders: readonly string[]): ServerAccount | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of UNPRIVILEGED) {
    const uid = numericId('-u', name);
    const gid = numericId('-g', name);
    if (uid === undefined || gid === undefined) continue;
    const { status } = spawnSync('/bin/sh', ['-c', CAN_ENTER_ALL, 'sh', ...folders], { uid, gid, cwd: '/' });
    if (status === 0) return { name, own: (path) => chownSync(path, uid, gid) };
  }
  return { name: 'root', own: () => undefined };
}

function numericId(which: '-u' | '-g', account: string): number | undefined {
  const { status, stdout } = spawnSync('id', [which, account], { encoding: 'utf8' });
  return status === 0 ? Number(stdout) : undefined;
}

const DATABASE = 'stampede';
const USER = 'stampede';
const DRAFT = 'data.new-';
const PING_WITHIN_MS = 2_000;
const INITIALIZE_WITHIN_MS = 180_000;
/** Includes the recovery after a crash. */
const READY_WITHIN_MS = 90_000;
const STOP_WITHIN_MS = 30_000;

/** What MySQL and MariaDB have apart. Arguments come after `command`; `account` is whom to become, if anyone. */
export interface SqlServerProgram {
  readonly product: string;
  readonly command: string;
  /** Arguments of every run, `--no-defaults` among them. */
  readonly args: readonly string[];
  /** Folders whose files it still reads after it gave up root's rights. */
  readonly folders: readonly string[];
  /** The run that fills an empty data folder. */
  initialize(dataFolder: string): { readonly command: string; readonly args: readonly string[] };
}

export const MYSQL_MAJOR_MIN = 8;

/** A second protocol on a second port, and files that SQL could read and write: neither is wanted. */
const MYSQL_ONLY = ['--loose-mysqlx=OFF', '--secure-file-priv=NULL'];

/** MySQL's program with the arguments that only MySQL knows. */
export function mysqlProgram(program: Omit<SqlServerProgram, 'initialize'>): SqlServerProgram {
  const args = [...program.args, ...MYSQL_ONLY];
  const initialize = (data: string) => ({
    command: program.command,
    args: [...args, '--initialize-insecure', `--datadir=${data}`],
  });
  return { ...program, args, initialize };
}

/** One database server for loopback only, with a user and an empty database of ours. */
export function sqlServerRecipe(program: SqlServerProgram, report: Report): ServerRecipe {
  return {
    name: 'mysql',
    product: program.product,
    portCount: 1,
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
    async prepare(place) {
      const account = chooseServerAccount([place.folder, ...program.folders]);
      const data = dataFolder(program, place);
      if (!existsSync(data)) await initializeData(program, place, account, report);
      const initFile = writeInitFile(place, account);
      const network = [`--bind-address=${LOOPBACK}`, `--port=${place.ports[0]}`, '--skip-name-resolve'];
      // Relative to the data folder: a path within a deep checkout would be longer than a socket's may be.
      const files = [`--datadir=${data}`, '--socket=mysqld.sock', `--init-file=${initFile}`];
      const args = [...program.args, ...userArgs(account), ...network, ...files, ...SETTINGS];
      return { command: program.command, args };
    },
    url: ({ ports, password }) => `mysql://${USER}:${password}@${LOOPBACK}:${ports[0]}/${DATABASE}`,
    ping: pingSqlServer,
  };
}

const SETTINGS = [
  '--character-set-server=utf8mb4',
  '--default-time-zone=+00:00',
  '--max-connections=500',
  // A confirmed order survives a power cut, as in production.
  '--innodb-flush-log-at-trx-commit=1',
  // Nothing replicates from this server, and its redo log alone makes it durable.
  '--skip-log-bin',
  '--innodb-buffer-pool-size=256M',
  // Redo space of our load for minutes; the default would take long to create and more to keep.
  '--loose-innodb-redo-log-capacity=128M',
];

const userArgs = (account: ServerAccount | undefined): readonly string[] =>
  account === undefined ? [] : [`--user=${account.name}`];

/** MySQL and MariaDB can't read each other's files, and either may be found next time. */
function dataFolder({ product }: SqlServerProgram, { folder }: ServerPlace): string {
  return join(folder, product.startsWith('MariaDB') ? 'data-mariadb' : 'data-mysql');
}

/** Initializes beside and moves into place, so that data is either there whole or not at all. */
async function initializeData(
  program: SqlServerProgram,
  place: ServerPlace,
  account: ServerAccount | undefined,
  report: Report,
): Promise<void> {
  const { folder } = place;
  report(`preparing an empty ${program.product}`);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) {
    if (name.startsWith(DRAFT)) rmSync(join(folder, name), { recursive: true, force: true });
  }
  const draft = mkdtempSync(join(folder, DRAFT));
  chmodSync(draft, 0o750);
  account?.own(draft);
  const { command, args } = program.initialize(draft);
  const { code, output } = await runGuarded(command, [...args, ...userArgs(account)], {
    cwd: folder,
    withinMs: INITIALIZE_WITHIN_MS,
  });
  if (code !== 0) throw new TaskError(`mysql: ${program.product} could not be prepared:\n${output.trim()}`);
  renameSync(draft, dataFolder(program, place));
}

/** Run at every start and true afterwards whatever was before: the user, the rights, the database. */
function writeInitFile({ folder, password }: ServerPlace, account: ServerAccount | undefined): string {
  const file = join(folder, 'init.sql');
  const statements = [
    `CREATE DATABASE IF NOT EXISTS ${DATABASE} CHARACTER SET utf8mb4`,
    `CREATE USER IF NOT EXISTS '${USER}'@'%' IDENTIFIED BY '${password}'`,
    `ALTER USER '${USER}'@'%' IDENTIFIED BY '${password}'`,
    // Tests make databases beside the first, and users with fewer rights.
    `GRANT ALL PRIVILEGES ON \`${DATABASE}%\`.* TO '${USER}'@'%' WITH GRANT OPTION`,
    `GRANT CREATE USER ON *.* TO '${USER}'@'%'`,
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}'`,
  ];
  writeFileSync(file, statements.map((statement) => `${statement};\n`).join(''), { mode: 0o600 });
  account?.own(file);
  return file;
}

async function pingSqlServer({ ports, password }: ServerPlace): Promise<void> {
  const connection = await createConnection({
    host: LOOPBACK,
    port: ports[0] ?? 0,
    user: USER,
    // Made for this server alone: another one at this port doesn't know it.
    password,
    database: DATABASE,
    connectTimeout: PING_WITHIN_MS,
  });
  try {
    await connection.query({ sql: 'SELECT 1', timeout: PING_WITHIN_MS });
  } finally {
    connection.destroy();
  }
}
