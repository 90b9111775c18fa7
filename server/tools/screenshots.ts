/** `npm run screenshots`: every page and step, on a phone and a desktop, into `docs/screenshots/`. */
import { buildClient } from './client-build/build-client.ts';
import { takeScreenshots } from './screenshots/take-screenshots.ts';

if ((await buildClient()) === 'failed') process.exitCode = 1;
else await takeScreenshots();
