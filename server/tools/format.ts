/** `npm run format`: writes every file the way `npm run check` wants to find it. */
import { runTool } from './checks/child-process.ts';

const args = process.argv.slice(2);
const paths = args.length > 0 ? args : ['.'];
const { code } = await runTool('prettier/bin/prettier.cjs', ['--write', '--log-level=warn', ...paths], {
  output: 'show',
});
process.exitCode = code;
