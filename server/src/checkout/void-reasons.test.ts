import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { voidReasons } from './order-store.ts';

test('6.8 every reason of a voided order stands in the protocol', async () => {
  const protocol = await readFile(new URL('../../../shared/PROTOCOL.md', import.meta.url), 'utf8');
  const rule = /- \*\*6\.8\*\*.*?(?=\n- \*\*)/s.exec(protocol)?.[0] ?? '';
  for (const reason of Object.values(voidReasons)) expect(rule).toContain(`\`${reason}\``);
});
