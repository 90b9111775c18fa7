import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { runGuarded } from './guarded-run.ts';
import { findProgram } from './find-program.ts';
import { provideUnpackedMysql } from './mysql-package.ts';
import { MYSQL_MAJOR_MIN, mysqlProgram } from './mysql-program.ts';
import type { ServerRecipe } from './native-server.ts';
import { type SqlServerProgram, sqlServerRecipe } from './sql-server.ts';
import type { Report } from './stack-error.ts';

/** Where Linux keeps the program that loads every other. */
const SYSTEM_LOADERS = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1'];

/**
 * Real MySQL: the machine's own where it has one, else a private copy of Debian's.
 * @throws StackError when there is neither
 */
export async function mysqlRecipe(report: Report): Promise<ServerRecipe> {
  const program = (await findInstalledMysql()) ?? (await provideUnpackedMysql(report));
  return sqlServerRecipe(program, report);
}

/** @returns the `mysqld` of this machine, if it is MySQL (not MariaDB) and new enough */
async function findInstalledMysql(): Promise<SqlServerProgram | undefined> {
  const mysqld = findProgram('mysqld');
  if (mysqld === undefined) return undefined;
  const { output } = await runGuarded(mysqld, ['--no-defaults', '--version']);
  const version = /Ver (\d+)[.\d]*/.exec(output);
  if (version === null || output.includes('MariaDB') || Number(version[1]) < MYSQL_MAJOR_MIN)
    return undefined;
  return installedProgram(mysqld, `MySQL ${version[0].slice('Ver '.length)}`);
}

function installedProgram(mysqld: string, product: string): SqlServerProgram {
  // Ubuntu's AppArmor lets a program at this path write into MySQL's system folders only. What the loader is given
  // to run has no profile of its own.
  const loader = SYSTEM_LOADERS.find((path) => existsSync(path));
  const base = `--basedir=${join(dirname(mysqld), '..')}`;
  const args = [...(loader === undefined ? [] : [mysqld]), '--no-defaults', base];
  return mysqlProgram({ product, command: loader ?? mysqld, args, folders: [] });
}
