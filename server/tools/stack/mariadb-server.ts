import { runGuarded } from './guarded-run.ts';
import type { ServerRecipe } from './native-server.ts';
import { provideProgram } from './provide-program.ts';
import { type SqlServerProgram, sqlServerRecipe } from './sql-server.ts';
import { type Report, StackError } from './stack-error.ts';

const DEBIAN_PACKAGE = 'mariadb-server-core';

/** MariaDB, whose dialect is close to MySQL's: what there is where MySQL can't be had. */
export async function mariadbRecipe(report: Report): Promise<ServerRecipe> {
  const mariadbd = await provideProgram('mariadbd', DEBIAN_PACKAGE, report);
  const installer = await provideProgram('mariadb-install-db', DEBIAN_PACKAGE, report);
  const { output } = await runGuarded(mariadbd, ['--no-defaults', '--version']);
  const version = /Ver (\d+[.\d]*)-MariaDB/.exec(output)?.[1];
  if (version === undefined) throw new StackError(`mysql: ${mariadbd} doesn't say its version: ${output}`);
  const program: SqlServerProgram = {
    product: `MariaDB ${version}`,
    command: mariadbd,
    args: ['--no-defaults'],
    folders: [],
    initialize: (data) => ({
      command: installer,
      args: [
        '--no-defaults',
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        `--datadir=${data}`,
      ],
    }),
  };
  return sqlServerRecipe(program, report);
}
