/** `npm run stack`: real Redis, MySQL and Kafka for a developer's machine, and the settings that point to them. */
import { bringUpStack } from './stack/bring-up-stack.ts';

process.exitCode = await bringUpStack(process.argv.slice(2));
