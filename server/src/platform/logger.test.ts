import { describe, expect, it } from 'vitest';
import { createLogger, type LoggerOptions } from './logger.ts';

function written(
  options: Pick<LoggerOptions, 'level' | 'readable'>,
  write: (logger: ReturnType<typeof createLogger>) => void,
) {
  const lines: string[] = [];
  write(createLogger({ ...options, to: { write: (line) => void lines.push(line) } }));
  return lines.join('');
}

describe('logger', () => {
  it('writes JSON with level by name, ISO time and message', () => {
    const line = written({ level: 'info', readable: false }, (logger) => logger.info({ show: 7 }, 'opened'));
    expect(JSON.parse(line)).toMatchObject({ level: 'info', show: 7, msg: 'opened' });
    expect(line).toMatch(/"time":"\d{4}-\d\d-\d\dT/);
  });

  it.each([false, true])(
    'never writes who somebody is, even when it is passed in (readable: %s)',
    (readable) => {
      const line = written({ level: 'info', readable }, (logger) =>
        logger.info(
          { session: 'abc-secret', request: { cookie: 'abc-secret', address: '203.0.113.9' } },
          'seen',
        ),
      );
      expect(line).toContain('[redacted]');
      expect(line).not.toMatch(/abc-secret|203\.0\.113\.9/);
    },
  );

  it('writes one readable line, and the stack of an error below it', () => {
    const line = written({ level: 'info', readable: true }, (logger) =>
      logger.error({ err: new Error('log is full'), show: 7 }, 'settling failed'),
    );
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} ERROR settling failed show=7\nError: log is full\n/);
  });

  it('is quiet below its level', () => {
    expect(written({ level: 'warn', readable: false }, (logger) => logger.info('nothing'))).toBe('');
  });
});
