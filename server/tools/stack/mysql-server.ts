import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runGuarded } from '../checks/child-process.ts';
import { provideUnpackedMysql } from './mysql-package.ts';
import type { ServerRecipe } from './native-server.ts';
import { findProgram, majorOf, provideProgram, versionOf } from './programs.ts';
import { MYSQL_MAJOR_MIN, mysqlProgram, type SqlServerProgram, sqlServerRecipe } from './sql-server.ts';
import { type Report, TaskError } from '../tasks/task.ts';

const MARIADB_PACKAGE = 'mariadb-server-core';
/** Where Linux keeps the program that loads every other. */
const SYSTEM_LOADERS = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1'];

/**
 * Real MySQL, the machine's own where it has one, else a private copy of Debian's; where there is neither, MariaDB.
 * The recipe's `product` says which it is.
 */
export async function databaseRecipe(report: Report): Promise<ServerRecipe> {
  try {
    const program = (await findInstalledMysql()) ?? (await provideUnpackedMysql(report));
    return sqlServerRecipe(program, report);
  } catch (cause) {
    if (!(cause instanceof TaskError)) throw cause;
    report(`no MySQL here, so MariaDB it is. ${cause.message}`);
    return mariadbRecipe(report);
  }
}

/** @returns the `mysqld` of this machine, if it is MySQL (not MariaDB) and new enough */
async function findInstalledMysql(): Promise<SqlServerProgram | undefined> {
  const mysqld = findProgram('mysqld');
  if (mysqld === undefined) return undefined;
  const { output } = await runGuarded(mysqld, ['--no-defaults', '--version']);
  const version = /Ver (\d+[.\d]*)/.exec(output)?.[1] ?? '';
  if (output.includes('MariaDB') || majorOf(version) < MYSQL_MAJOR_MIN) return undefined;
  // Ubuntu's AppArmor lets a program at this path write into MySQL's system folders only. What the loader is given
  // to run has no profile of its own.
  const loader = SYSTEM_LOADERS.find((path) => existsSync(path));
  const base = `--basedir=${join(dirname(mysqld), '..')}`;
  const args = [...(loader === undefined ? [] : [mysqld]), '--no-defaults', base];
  return mysqlProgram({ product: `MySQL ${version}`, command: loader ?? mysqld, args, folders: [] });
}

/** MariaDB, whose dialect is close to MySQL's: what there is where MySQL can't be had. */
export async function mariadbRecipe(report: Report): Promise<ServerRecipe> {
  const command = await provideProgram('mariadbd', MARIADB_PACKAGE, report);
  const installer = await provideProgram('mariadb-install-db', MARIADB_PACKAGE, report);
  const args = ['--no-defaults'];
  const version = await versionOf(/Ver (\d+[.\d]*)-MariaDB/, command, [...args, '--version']);
  const settings = ['--auth-root-authentication-method=normal', '--skip-test-db'];
  const initialize = (data: string) => ({
    command: installer,
    args: [...args, ...settings, `--datadir=${data}`],
  });
  return sqlServerRecipe({ product: `MariaDB ${version}`, command, args, folders: [], initialize }, report);
}
