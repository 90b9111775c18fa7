import type { SqlServerProgram } from './sql-server.ts';

export const MYSQL_MAJOR_MIN = 8;

/** A second protocol on a second port, and files that SQL could read and write: neither is wanted. */
const MYSQL_ONLY = ['--loose-mysqlx=OFF', '--secure-file-priv=NULL'];

/** MySQL's program with the arguments that only MySQL knows. */
export function mysqlProgram(
  program: Pick<SqlServerProgram, 'product' | 'command' | 'args' | 'folders'>,
): SqlServerProgram {
  const args = [...program.args, ...MYSQL_ONLY];
  return {
    ...program,
    args,
    initialize: (data) => ({
      command: program.command,
      args: [...args, '--initialize-insecure', `--datadir=${data}`],
    }),
  };
}
