/**
 * The last step of `npm ci` and `npm install`: makes the socket library's binary load on this machine. It runs on
 * the host's Node before anything else is known to work.
 */
import { join } from 'node:path';
import { ROOT } from './install/installed-packages.mjs';
import { UwsBinaryError, repairUwsBinary } from './install/uws-binary.mjs';

try {
  const outcome = repairUwsBinary({ packageFolder: join(ROOT, 'node_modules', 'uWebSockets.js') });
  if (outcome === 'repaired') console.log('uWebSockets.js: repaired for the C library of this machine.');
} catch (error) {
  if (!(error instanceof UwsBinaryError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
