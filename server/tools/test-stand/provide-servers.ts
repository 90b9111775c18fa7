import { kafkaRecipe } from '../stack/kafka-server.ts';
import { databaseRecipe, mariadbRecipe } from '../stack/mysql-server.ts';
import type { ServerRecipe } from '../stack/native-server.ts';
import { redisRecipe } from '../stack/redis-server.ts';
import { withPartProgress } from '../stack/stack-task.ts';
import { type Report, TaskError } from '../tasks/task.ts';

const PROGRAMS: readonly (readonly [string, (report: Report) => Promise<ServerRecipe>])[] = [
  ['redis', redisRecipe],
  ['mysql', databaseRecipe],
  ['kafka', kafkaRecipe],
  ['mariadb', mariadbRecipe],
];

/**
 * Sees to it that the real servers of the tests can start at once, so that no test waits for a download, and says
 * on what the tests run. What can't be had is said, too; the tests that need it will fail.
 */
export async function provideServers(): Promise<void> {
  // One after the other: two of them may want to install something.
  for (const [name, provide] of PROGRAMS) {
    try {
      await withPartProgress(name, console.log, async (report) => {
        const { product } = await provide(report);
        return { result: product, said: `the tests run on a real ${product}` };
      });
    } catch (error) {
      if (!(error instanceof TaskError)) throw error;
      console.log(error.message);
    }
  }
}
