import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../checks/child-process.ts';
import { nginxFilesOf } from './nginx-config.ts';

const read = (name: string): string => readFileSync(join(ROOT, 'deploy', 'nginx', name), 'utf8');
const place = {
  folder: '/some/folder',
  port: 7_000,
  tlsPort: null,
  gateways: ['127.0.0.1:7001', '127.0.0.1:7002', '127.0.0.1:7003'],
};

/** Lines that are there after and not before, and the other way round, of all files together. */
function changes(files: ReadonlyMap<string, string>): { came: string[]; went: string[] } {
  const before = [...files.keys()].flatMap((name) => read(name).split('\n'));
  const after = [...files.values()].flatMap((text) => text.split('\n'));
  return {
    came: after.filter((line) => !before.includes(line)),
    went: before.filter((line) => !after.includes(line)),
  };
}

const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
  (name) => `  ${name}_temp_path "/some/folder/${name}";`,
);
const upstream = place.gateways.map((gateway) => `  server ${gateway} max_fails=1 fail_timeout=2s;`);

it('only addresses and folders differ from what runs in production', () => {
  const { came, went } = changes(nginxFilesOf(read, place));
  expect(came).toEqual([...temporary, '    listen 7000 backlog=65535;', ...upstream]);
  expect(went).toEqual([
    '    listen 8080 backlog=65535;',
    '  server gateway-1:8083 max_fails=1 fail_timeout=2s;',
    '  server gateway-2:8083 max_fails=1 fail_timeout=2s;',
  ]);
});

it('with TLS, the ports and the place of the certificate differ as well', () => {
  const { came } = changes(nginxFilesOf(read, { ...place, tlsPort: 7_443 }));
  expect(came).toEqual([
    ...temporary,
    '  ssl_certificate /some/folder/tls/fullchain.pem;',
    '  ssl_certificate_key /some/folder/tls/privkey.pem;',
    '    listen 7000;',
    '    listen 7443 ssl backlog=65535;',
    ...upstream,
  ]);
});

it('what an operator fills in comes behind what the file says', () => {
  const files = nginxFilesOf(read, place, { 'proxies.conf': '127.0.0.1 1;' });
  expect(files.get('proxies.conf')).toBe(`${read('proxies.conf')}127.0.0.1 1;`);
});

it('a file that has changed where it is replaced is noticed', () => {
  const changed = (name: string): string => read(name).replace('listen 8080', 'listen 80');
  expect(() => nginxFilesOf(changed, place)).toThrow(/0 places/);
  expect(() => nginxFilesOf((name) => read(name).repeat(2), place)).toThrow(/2 places/);
});
