import { describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { redisAddresses, shownRedis } from './server-address.ts';

describe('redis addresses', () => {
  it('reads host, port, database, user, password and TLS', () => {
    expect(redisAddresses('REDIS_URL', 'rediss://ann:p%40ss@redis.example:6380/3')).toEqual([
      { host: 'redis.example', port: 6_380, db: 3, tls: true, username: 'ann', password: 'p@ss' },
    ]);
    expect(redisAddresses('REDIS_URL', 'redis://:word@[::1]')).toMatchObject([
      { host: '::1', port: 6_379, db: 0, tls: false, username: undefined, password: 'word' },
    ]);
  });

  it('reads the nodes of a cluster', () => {
    const nodes = redisAddresses('REDIS_URL', 'redis://a:1, redis://b:2');
    expect(nodes.map(shownRedis)).toEqual(['redis://a:1', 'redis://b:2']);
  });

  it.each([
    '',
    'localhost:6379',
    'not a url',
    'http://localhost',
    'redis://',
    'redis://a/b',
    'redis://a:99999',
    'redis://a,,',
    'redis://user:%zz@a',
  ])('refuses %j, naming the setting', (url) => {
    expect(() => redisAddresses('REDIS_URL', url)).toThrow(ConfigError);
    expect(() => redisAddresses('REDIS_URL', url)).toThrow('REDIS_URL');
  });

  it('[P6] shows no password, neither in an address nor in a complaint', () => {
    const [address] = redisAddresses('REDIS_URL', 'redis://user:hunter2@a/1');
    expect(shownRedis(address)).toBe('redis://a:6379/1');
    for (const url of ['redis://user:hunter2@a/b', 'rediss//user:hunter2@a', 'redis://user:hunter2@:1']) {
      expect(() => redisAddresses('REDIS_URL', url)).toThrow(/^(?!.*hunter2)/s);
    }
  });
});
