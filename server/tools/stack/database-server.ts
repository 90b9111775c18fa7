import { mariadbRecipe } from './mariadb-server.ts';
import { mysqlRecipe } from './mysql-server.ts';
import type { ServerRecipe } from './native-server.ts';
import { type Report, StackError } from './stack-error.ts';

/** MySQL where it can be had, else MariaDB; its `product` says which it is. */
export async function databaseRecipe(report: Report): Promise<ServerRecipe> {
  try {
    return await mysqlRecipe(report);
  } catch (cause) {
    if (!(cause instanceof StackError)) throw cause;
    report(`no MySQL here, so MariaDB it is. ${cause.message}`);
    return mariadbRecipe(report);
  }
}
