import { describe, expect, it } from 'vitest';
import { readArguments } from './arguments.ts';
import { isLoopback } from './places.ts';
import { TaskError } from '../tasks/task.ts';

const NEW_SEED = 42;
const read = (line: string, environment: Record<string, string> = {}) =>
  readArguments(line.split(' ').filter(Boolean), { environment, stackDatabase: null }, NEW_SEED);

describe('the command line of the crowd', () => {
  it('needs a show and a number, and has defaults for the rest', () => {
    expect(read('--show 4 --buyers 1000')).toEqual({
      servers: [new URL('http://127.0.0.1:8083')],
      show: '4',
      buyers: 1_000,
      json: false,
      ledgers: [{ kind: 'sqlite', dataDir: '.data' }],
      seat: null,
      seatsPerBuyer: null,
      pace: 'fast',
      seed: NEW_SEED,
      rampMs: 3_000,
      timeoutMs: 180_000,
    });
  });

  it('finds server and database where the settings of the server put them', () => {
    const found = read('--show 4 --buyers 1', { PORT: '9000', DATA_DIR: '/srv/sale' });
    expect(found?.servers.map(({ origin }) => origin)).toEqual(['http://127.0.0.1:9000']);
    expect(found?.ledgers).toEqual([{ kind: 'sqlite', dataDir: '/srv/sale' }]);
    const told = read('--show 4 --buyers 1 --url http://localhost:7000 --data here', { PORT: '9000' });
    expect(told?.servers.map(({ origin }) => origin)).toEqual(['http://localhost:7000']);
    expect(told?.ledgers).toEqual([{ kind: 'sqlite', dataDir: 'here' }]);
  });

  it('looks for what was sold where it is told to, else where it may be', () => {
    const line = '--show 4 --buyers 1';
    const set = { DATABASE_URL: 'mysql://set/sale', DATA_DIR: 'data' };
    const places = (more: string, environment = {}) =>
      readArguments(
        `${line} ${more}`.split(' ').filter(Boolean),
        { environment, stackDatabase: 'mysql://stack/sale' },
        NEW_SEED,
      )?.ledgers;
    const mysql = (url: string, name: string) => ({ kind: 'mysql', url, name });
    expect(places('--database mysql://told/sale', set)).toEqual([mysql('mysql://told/sale', '--database')]);
    expect(places('--data here', set)).toEqual([{ kind: 'sqlite', dataDir: 'here' }]);
    expect(places('', set)).toEqual([mysql('mysql://set/sale', 'DATABASE_URL')]);
    expect(places('')).toEqual([
      { kind: 'sqlite', dataDir: '.data' },
      mysql('mysql://stack/sale', 'npm run stack'),
    ]);
  });

  it('goes through several gateways', () => {
    const given = read('--show 4 --buyers 2 --url http://localhost:7000 --url http://localhost:7001');
    expect(given?.servers.map(({ port }) => port)).toEqual(['7000', '7001']);
    expect(() => read('--show 4 --buyers 2 --url http://localhost:7000 --url http://far.example')).toThrow(
      /far\.example is another machine/,
    );
  });

  it.each([
    ['--buyers 5', '--show'],
    ['--show 4', '--buyers'],
    ['--show 4 --buyers many', '--buyers'],
    ['--show 4 --buyers 0', '--buyers'],
    ['--show 4 --buyers 1e3', '--buyers'],
    ['--show 4 --buyers 20001', '--buyers'],
    ['--show 4 --buyers 5 --url 8083', '--url'],
    ['--show 4 --buyers 5 --url ftp://127.0.0.1', '--url'],
    ['--show 4 --buyers 5 --pace brisk', '--pace'],
    ['--show 4 --buyers 5 --seed -1', '--seed'],
    ['--show 4 --buyers 5 --ramp 601', '--ramp'],
    ['--show 4 --buyers 5 --timeout 0', '--timeout'],
    ['--show 4 --buyers 5 --seats-per-buyer 33', '--seats-per-buyer'],
    ['--show 4 --buyers 5 --seat -1', '--seat'],
    ['--show 4 --buyers 5 --seatz 2', '--seatz'],
    ['--show 4 --buyers', '--buyers'],
  ])('answers "%s" with one line that names %s', (line, name) => {
    const attempt = () => read(line);
    expect(attempt).toThrow(TaskError);
    expect(attempt).toThrow(new RegExp(`^[^\n]*${name}[^\n]*$`));
  });

  it('sends load to other machines only when told that they are ours', () => {
    const line = '--show 4 --buyers 5 --url https://tickets.example';
    expect(() => read(line)).toThrow(/--allow-remote/);
    expect(read(`${line} --allow-remote`)?.servers[0].host).toBe('tickets.example');
  });

  it('knows which addresses stay on this machine', () => {
    const loopback = (url: string) => isLoopback(new URL(url));
    expect(
      ['http://localhost', 'http://127.0.0.1:8', 'http://127.9.8.7', 'http://[::1]:8'].every(loopback),
    ).toBe(true);
    expect(['http://127.0.0.1.example', 'http://10.0.0.1', 'http://localhost.example'].some(loopback)).toBe(
      false,
    );
  });

  it('gives help instead of complaining', () => {
    expect(read('--help')).toBeNull();
  });
});
