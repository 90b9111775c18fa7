import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ChildOptions, type ChildResult, runGuarded } from '../checks/child-process.ts';
import { cachedFolder } from './package-cache.ts';
import { versionOf } from './programs.ts';
import { MYSQL_MAJOR_MIN, mysqlProgram, type SqlServerProgram } from './sql-server.ts';
import { type Report, TaskError } from '../tasks/task.ts';

/**
 * Debian's releases have MariaDB only; MySQL itself is in Debian unstable. Installing from there would pull the
 * machine's C library and much else forward to unstable. So the package and the libraries it names are downloaded
 * by apt with a source list and state of their own (and apt's usual check of signatures), unpacked into a
 * folder that nothing else looks into, and run through the C library's loader found there. The machine stays
 * as it was, whoever runs this needs no rights, and deleting the folder undoes it.
 */
const PACKAGE = 'mysql-server-core';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Pulled in by scripts of the package that aren't used here. */
const NOT_NEEDED = /perl|^libgdbm|^libdb5|^gcc-\d+-base$|gconv/;
/** Client tools, manuals: half of what is unpacked. */
const SUPERFLUOUS = ['usr/bin', 'usr/share/doc', 'usr/share/man', 'usr/share/lintian'];
const DOWNLOAD_WITHIN_MS = 600_000;
const UNPACK_WITHIN_MS = 60_000;

/** @throws TaskError where there is no Debian to take it from, or the download fails */
export async function provideUnpackedMysql(report: Report): Promise<SqlServerProgram> {
  const root = await cachedFolder(`mysql-debian-${process.arch}`, (folder) => fillFolder(folder, report));
  return unpackedProgram(root);
}

async function fillFolder(root: string, report: Report): Promise<void> {
  const mirror = await findDebianMirror();
  report('downloading MySQL from Debian unstable (once; 60 MB)');
  const work = `${root}.apt`;
  mkdirSync(join(work, 'debs'), { recursive: true });
  await downloadPackages(work, mirror);
  for (const name of readdirSync(join(work, 'debs'))) {
    await run('dpkg', ['-x', join(work, 'debs', name), root], { withinMs: UNPACK_WITHIN_MS });
  }
  for (const path of SUPERFLUOUS) rmSync(join(root, path), { recursive: true, force: true });
  // Proves that every library is there before anyone relies on it.
  await unpackedProgram(root);
}

/** The mirror that this Debian is set up with, which is also the one that can be reached from here. */
async function findDebianMirror(): Promise<string> {
  const isDebian = existsSync('/usr/bin/apt-get') && existsSync('/usr/bin/dpkg') && existsSync(KEYRING);
  const { output } = isDebian
    ? await runGuarded('apt-get', ['indextargets', '--format', '$(REPO_URI)'])
    : { output: '' };
  const mirror = output.split('\n').find((uri) => /\/debian\/?$/.test(uri));
  if (mirror !== undefined) return mirror;
  throw new TaskError(
    `mysql: this machine has no MySQL ${MYSQL_MAJOR_MIN} or newer, and no Debian to take it from. ` +
      'Install it (Ubuntu, as root: apt-get install mysql-server-core-8.0; macOS: brew install mysql).',
  );
}

async function downloadPackages(work: string, mirror: string): Promise<void> {
  const lines = [
    `Dir::Etc::sourcelist "${work}/sources.list";`,
    'Dir::Etc::sourceparts "-";',
    `Dir::State "${work}/state";`,
    // As if nothing were installed: every library must come along, whatever this machine has.
    `Dir::State::status "${work}/state/status";`,
    `Dir::Cache "${work}/cache";`,
    'APT::Install-Recommends "false";',
    'Acquire::Languages "none";',
    'Acquire::Retries "3";',
    // The account that apt downloads with may not enter our folder.
    'APT::Sandbox::User "root";',
  ];
  for (const folder of ['state/lists/partial', 'cache/archives/partial']) {
    mkdirSync(join(work, folder), { recursive: true });
  }
  writeFileSync(join(work, 'state', 'status'), '');
  writeFileSync(join(work, 'apt.conf'), lines.join('\n'));
  writeFileSync(join(work, 'sources.list'), `deb [signed-by=${KEYRING}] ${mirror} unstable main\n`);
  const apt = async (args: readonly string[], cwd = work): Promise<string> => {
    const env = { ...process.env, APT_CONFIG: join(work, 'apt.conf'), LC_ALL: 'C.UTF-8' };
    const { output } = await run('apt-get', args, { cwd, env, withinMs: DOWNLOAD_WITHIN_MS });
    return output;
  };
  await apt(['-qq', 'update']);
  const plan = await apt(['--simulate', 'install', PACKAGE]);
  const names = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
  await apt(['-qq', 'download', ...names.filter((name) => !NOT_NEEDED.test(name))], join(work, 'debs'));
}

async function unpackedProgram(root: string): Promise<SqlServerProgram> {
  const { loader, libraries } = findLoader(root);
  const program = ['--library-path', libraries, join(root, 'usr/sbin/mysqld'), '--no-defaults'];
  const version = await versionOf(/Ver (\d+[.\d]*)/, loader, [...program, '--version']);
  const share = join(root, 'usr/share/mysql');
  const args = [
    ...program,
    `--basedir=${join(root, 'usr')}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, 'charsets')}`,
    `--plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
  ];
  return mysqlProgram({ product: `MySQL ${version}`, command: loader, args, folders: [root] });
}

function findLoader(root: string): { readonly loader: string; readonly libraries: string } {
  const lib = join(root, 'usr/lib');
  for (const folder of existsSync(lib) ? readdirSync(lib) : []) {
    const libraries = join(lib, folder);
    const name = /-linux-gnu$/.test(folder)
      ? readdirSync(libraries).find((file) => /^ld-linux-.*\.so\.\d$/.test(file))
      : undefined;
    if (name !== undefined) return { loader: join(libraries, name), libraries };
  }
  throw new TaskError(`mysql: ${root} lacks the C library. Delete it and try again.`);
}

async function run(
  command: string,
  args: readonly string[],
  options: Omit<ChildOptions, 'output'>,
): Promise<ChildResult> {
  const result = await runGuarded(command, args, options);
  if (result.code === 0) return result;
  throw new TaskError(`mysql: ${command} ${args[0]} failed:\n${result.output.trim()}`);
}
