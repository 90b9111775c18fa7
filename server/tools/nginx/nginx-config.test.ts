import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../checks/child-process.ts';
import { nginxConfigOf } from './nginx-config.ts';

const production = readFileSync(join(ROOT, 'deploy', 'nginx.conf'), 'utf8');
const place = {
  folder: '/some/folder',
  port: 7_000,
  gateways: ['127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'],
};

it('only addresses and folders differ from what runs in production', () => {
  const before = production.split('\n');
  const after = nginxConfigOf(production, place).split('\n');
  expect(after.filter((line) => !before.includes(line))).toEqual([
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
      (name) => `  ${name}_temp_path "/some/folder/${name}";`,
    ),
    ...place.gateways.map((gateway) => `    server ${gateway} max_fails=1 fail_timeout=2s;`),
    '    listen 7000 backlog=65535;',
  ]);
  expect(before.filter((line) => !after.includes(line))).toEqual([
    '    server gateway-1:8083 max_fails=1 fail_timeout=2s;',
    '    server gateway-2:8083 max_fails=1 fail_timeout=2s;',
    '    listen 8080 backlog=65535;',
  ]);
});

it('a file that has changed where it is replaced is noticed', () => {
  expect(() => nginxConfigOf(production.replace('listen 8080', 'listen 80'), place)).toThrow(/0 places/);
  expect(() => nginxConfigOf(`${production}\n${production}`, place)).toThrow(/2 places/);
});
