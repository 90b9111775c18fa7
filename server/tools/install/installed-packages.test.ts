import { expect, it } from 'vitest';
import { satisfies } from './installed-packages.mjs';

const wanted = {
  '': { version: '0.1.0' },
  shared: { version: '0.1.0' },
  'node_modules/@stampede/shared': { link: true },
  'node_modules/zod': { version: '4.6.7', integrity: 'sha512-a' },
  'client/node_modules/zod': { version: '3.0.0', integrity: 'sha512-b' },
  'node_modules/only-on-windows': { version: '1.0.0', optional: true },
};
const zod = { 'node_modules/zod': { version: '4.6.7', integrity: 'sha512-a' } };
const nested = { 'client/node_modules/zod': { version: '3.0.0', integrity: 'sha512-b' } };

it('is content with every package in its version, whatever else is there', () => {
  expect(satisfies(wanted, { ...zod, ...nested, 'node_modules/more': { version: '1.0.0' } })).toBe(true);
});

it.each([
  ['missing', { ...zod }],
  ['of another version', { ...nested, 'node_modules/zod': { version: '4.6.6', integrity: 'sha512-a' } }],
  ['of another content', { ...nested, 'node_modules/zod': { version: '4.6.7', integrity: 'sha512-c' } }],
])('notices a package that is %s', (_, installed) => {
  expect(satisfies(wanted, installed)).toBe(false);
});
