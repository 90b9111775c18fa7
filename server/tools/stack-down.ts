/** `npm run stack:down`: stops what `npm run stack` started; with `-- --wipe` its data goes, too. */
import { takeDownStack } from './stack/take-down-stack.ts';

process.exitCode = await takeDownStack(process.argv.slice(2));
