import { join } from 'node:path';
import { ROOT } from '../checks/child-process.ts';

/** Everything the stack keeps for this checkout. */
export const STACK_FOLDER = join(ROOT, '.stack');
