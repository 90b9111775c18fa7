import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { readConfig, settingsTable } from './config.ts';
import { ConfigError } from './platform/config-error.ts';

function problemsOf(environment: Record<string, string>) {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('settings', () => {
  it('an empty environment gives every default', () => {
    expect(readConfig({})).toMatchObject({
      port: 8083,
      host: '0.0.0.0',
      dataDir: '.data',
      logLevel: 'info',
      sessionSecret: [],
      allowedOrigins: [],
      httpCallsPerMinute: 100,
      paymentSuccessRate: 0.8,
      demo: 'on',
    });
  });

  it('an empty value is no value', () => {
    expect(readConfig({ PORT: '', SESSION_SECRET: ' ' })).toMatchObject({ port: 8083, sessionSecret: [] });
  });

  it('reads lists', () => {
    const config = readConfig({
      ALLOWED_ORIGINS: 'https://tickets.example, http://localhost:5173/',
      TRUSTED_PROXIES: '10.0.0.0/8,::1',
    });
    expect(config.allowedOrigins).toEqual(['https://tickets.example', 'http://localhost:5173']);
    expect(config.trustedProxies.has('10.1.2.3')).toBe(true);
    expect(config.trustedProxies.has('127.0.0.1')).toBe(false);
  });

  it('reads the secrets of sessions, the newest first', () => {
    const [newer, older] = ['0123456789abcdef'.repeat(2), 'fedcba9876543210'.repeat(2)];
    expect(readConfig({ SESSION_SECRET: `${newer}, ${older}` }).sessionSecret).toEqual([newer, older]);
  });

  it.each([
    ['PORT', '70000'],
    ['PORT', '80.5'],
    ['PORT', '-1'],
    ['PORT', '0x50'],
    ['HOST', 'http://here'],
    ['LOG_LEVEL', 'loud'],
    ['SESSION_SECRET', 'too short'],
    ['SESSION_SECRET', 'aB3'.repeat(12)],
    ['SESSION_SECRET', `${'0123456789abcdef'.repeat(2)},too short`],
    ['ALLOWED_ORIGINS', 'tickets.example'],
    ['ALLOWED_ORIGINS', 'https://tickets.example/path'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['HTTP_CALLS_PER_MINUTE', '0'],
    ['PAYMENT_SUCCESS_RATE', '1.01'],
    ['PAYMENT_SUCCESS_RATE', 'NaN'],
    ['DEMO', 'perhaps'],
  ])('%s=%s is refused by name', (name, value) => {
    expect(problemsOf({ [name]: value }).problems.map((one) => one.name)).toEqual([name]);
  });

  it('names every bad setting at once, with what was given and what is allowed', () => {
    const { message } = problemsOf({ PORT: 'http', DEMO: 'maybe' });
    expect(message).toBe(
      "Settings can't be used:\n" +
        '  PORT: "http"; allowed: a whole number, 0 to 65535\n' +
        '  DEMO: "maybe"; allowed: on, off',
    );
  });

  it('[P6] never repeats a secret', () => {
    const { message } = problemsOf({ SESSION_SECRET: 'hunter2' });
    expect(message).toContain('SESSION_SECRET: a value of 7 characters');
    expect(message).not.toContain('hunter2');
  });

  it('the longest payment delay is not below the shortest', () => {
    const { message } = problemsOf({ PAYMENT_DELAY_MIN_MS: '500', PAYMENT_DELAY_MAX_MS: '100' });
    expect(message).toMatch(
      /PAYMENT_DELAY_MIN_MS: 500; allowed: .* at most PAYMENT_DELAY_MAX_MS, which is 100/,
    );
  });

  it('[P2] a process that leaves work to others needs the parts that they share', () => {
    const shared = {
      REDIS_URL: 'redis://r',
      DATABASE_URL: 'mysql://u:p@d/s',
      KAFKA_BROKERS: 'k:9092',
      PAYMENT_SECRET: '0123456789abcdefghijklmnopqrstuvw',
    };
    expect(problemsOf({ ...shared, PAYMENT_SECRET: '' }).message).toMatch(
      /PAYMENT_SECRET.*with KAFKA_BROKERS/,
    );
    expect(readConfig({ ROLES: 'gateway', ...shared }).roles).toEqual(new Set(['gateway']));
    for (const missing of ['REDIS_URL', 'DATABASE_URL', 'KAFKA_BROKERS']) {
      const { message } = problemsOf({ ROLES: 'gateway,scheduler', ...shared, [missing]: '' });
      expect(message).toMatch(new RegExp(`ROLES: "gateway,scheduler"; allowed: .* with ${missing}`));
    }
  });

  it('are told in the README as they are', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(settingsTable());
  });
});
