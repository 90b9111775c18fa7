import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ROOT } from '../checks/child-process.ts';
import { readSymbolVersions, withoutVersion } from './elf-versions.mjs';
import { UwsBinaryError, isOlder, repairUwsBinary, runningGlibc } from './uws-binary.mjs';

const INSTALLED = join(ROOT, 'node_modules', 'uWebSockets.js');
const OLD_GLIBC = '2.36';
const BINARIES = [
  { arch: 'x64', file: 'uws_linux_x64_137.node', baseVersion: 'GLIBC_2.2.5', renamed: 3 },
  { arch: 'arm64', file: 'uws_linux_arm64_137.node', baseVersion: 'GLIBC_2.17', renamed: 2 },
];

/** The file as published, whichever of the two stands in its place on this machine. */
function publishedBinary(file: string): Buffer {
  const kept = join(INSTALLED, `${file}.original`);
  return readFileSync(existsSync(kept) ? kept : join(INSTALLED, file));
}

const hashOf = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

describe.each(BINARIES)('the repair of $file', ({ arch, file, baseVersion, renamed }) => {
  let packageFolder: string;
  let binary: string;

  beforeEach(() => {
    packageFolder = mkdtempSync(join(tmpdir(), 'stampede-uws-'));
    binary = join(packageFolder, file);
    writeFileSync(binary, publishedBinary(file));
  });
  afterEach(() => {
    rmSync(packageFolder, { recursive: true });
  });

  it('binds the three number parsers to the oldest version and makes 2.38 optional', () => {
    const before = readSymbolVersions(readFileSync(binary));
    expect(repairUwsBinary({ packageFolder, platform: 'linux', arch, glibc: OLD_GLIBC })).toBe('repaired');
    const after = readSymbolVersions(readFileSync(binary));

    const unwanted = before.needs.find((need) => need.version === 'GLIBC_2.38')!;
    const base = before.needs.find(
      (need) => need.version === baseVersion && need.library === unwanted.library,
    )!;
    const changed = before.undefinedSymbols.flatMap((symbol, i) => {
      const now = after.undefinedSymbols[i]!;
      return now.name === symbol.name && now.index === symbol.index ? [] : [{ symbol, now }];
    });
    expect(changed).toHaveLength(renamed);
    for (const { symbol, now } of changed) {
      expect(symbol.name).toBe(`__isoc23_${now.name}`);
      expect([symbol.index, now.index]).toEqual([unwanted.index, base.index]);
    }
    const VER_FLG_WEAK = 2;
    expect(readFileSync(binary).readUInt16LE(unwanted.flagsOffset)).toBe(VER_FLG_WEAK);
  });

  it('keeps the published file beside it', () => {
    const published = hashOf(binary);
    repairUwsBinary({ packageFolder, platform: 'linux', arch, glibc: OLD_GLIBC });
    expect(hashOf(`${binary}.original`)).toBe(published);
    expect(hashOf(binary)).not.toBe(published);
  });

  it('changes nothing when it runs again', () => {
    repairUwsBinary({ packageFolder, platform: 'linux', arch, glibc: OLD_GLIBC });
    const hashes = [hashOf(binary), hashOf(`${binary}.original`)];
    expect(repairUwsBinary({ packageFolder, platform: 'linux', arch, glibc: OLD_GLIBC })).toBe(
      'already-repaired',
    );
    expect([hashOf(binary), hashOf(`${binary}.original`)]).toEqual(hashes);
  });

  it('refuses a binary it does not know, and leaves it alone', () => {
    const bytes = publishedBinary(file);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(binary, bytes);
    expect(() => repairUwsBinary({ packageFolder, platform: 'linux', arch, glibc: OLD_GLIBC })).toThrow(
      UwsBinaryError,
    );
    expect(readFileSync(binary).equals(bytes)).toBe(true);
    expect(existsSync(`${binary}.original`)).toBe(false);
  });

  it.each(['2.38', '2.39', '3.0', undefined])('leaves the binary alone where glibc is %s', (glibc) => {
    const published = hashOf(binary);
    expect(repairUwsBinary({ packageFolder, platform: 'linux', arch, glibc })).toBe('not-needed');
    expect(hashOf(binary)).toBe(published);
  });

  it('refuses a C library too old for any repair', () => {
    expect(() => repairUwsBinary({ packageFolder, platform: 'linux', arch, glibc: '2.35' })).toThrow(
      /2\.36 or newer/,
    );
  });
});

it.each(['darwin_x64', 'darwin_arm64', 'win32_x64', 'linux_x64', 'linux_arm64'])(
  'on %s only the binary that was published is taken, also where nothing is to be repaired',
  (machine) => {
    const [platform = '', arch = ''] = machine.split('_');
    const packageFolder = mkdtempSync(join(tmpdir(), 'stampede-uws-'));
    const file = `uws_${machine}_137.node`;
    const bytes = publishedBinary(file);
    writeFileSync(join(packageFolder, file), bytes);
    const where = { packageFolder, platform, arch, glibc: platform === 'linux' ? '2.41' : undefined };
    expect(repairUwsBinary(where)).toBe('not-needed');
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(packageFolder, file), bytes);
    expect(() => repairUwsBinary(where)).toThrow(/not a binary we know/);
    rmSync(packageFolder, { recursive: true });
  },
);

it('names what is missing when the package is incomplete or the machine is of another kind', () => {
  const empty = mkdtempSync(join(tmpdir(), 'stampede-uws-'));
  expect(() =>
    repairUwsBinary({ packageFolder: empty, platform: 'linux', arch: 'x64', glibc: OLD_GLIBC }),
  ).toThrow(/missing/);
  expect(() =>
    repairUwsBinary({ packageFolder: empty, platform: 'linux', arch: 's390x', glibc: OLD_GLIBC }),
  ).toThrow(/s390x/);
  rmSync(empty, { recursive: true });
});

it('refuses what is not an ELF file', () => {
  const repair = { library: 'libc.so.6', version: 'GLIBC_2.38', baseVersion: 'GLIBC_2.2.5', prefix: 'x' };
  expect(() => withoutVersion(Buffer.alloc(100), repair)).toThrow(/not a 64-bit/);
});

it('refuses to rebind a symbol that has no older namesake', () => {
  const repair = {
    library: 'libc.so.6',
    version: 'GLIBC_2.36',
    baseVersion: 'GLIBC_2.2.5',
    prefix: '__isoc23_',
  };
  expect(() => withoutVersion(publishedBinary('uws_linux_x64_137.node'), repair)).toThrow(/arc4random/);
});

it('orders versions by number, not by letter', () => {
  expect([isOlder('2.9', '2.38'), isOlder('2.38', '2.38'), isOlder('3.0', '2.38')]).toEqual([
    true,
    false,
    false,
  ]);
});

interface SocketServer {
  get(path: string, answer: (response: { end(body: string): void }) => void): SocketServer;
  listen(host: string, port: number, done: (socket: object | false) => void): SocketServer;
  close(): void;
}
interface SocketLibrary {
  App(): SocketServer;
  us_socket_local_port(socket: object): number;
}

it('gives a library that loads here and answers over a real socket', async () => {
  const packageFolder = mkdtempSync(join(tmpdir(), 'stampede-uws-'));
  cpSync(INSTALLED, packageFolder, { recursive: true });
  const file = `uws_linux_${process.arch}_137.node`;
  if (runningGlibc() !== undefined) {
    writeFileSync(join(packageFolder, file), publishedBinary(file));
    repairUwsBinary({ packageFolder });
  }
  const library = createRequire(import.meta.url)(join(packageFolder, 'uws.js')) as SocketLibrary;
  const server = library.App().get('/', (response) => {
    response.end('over a real socket');
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.listen('127.0.0.1', 0, (socket) => {
      if (socket) resolve(library.us_socket_local_port(socket));
      else reject(new Error('could not listen'));
    });
  });
  expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('over a real socket');
  server.close();
  rmSync(packageFolder, { recursive: true });
});
