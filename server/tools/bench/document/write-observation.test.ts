import { describe, expect, test } from 'vitest';
import { observationText, tellObservation } from './write-observation.ts';

describe('what was observed', () => {
  test('becomes a section of Markdown, names out of programs set as code', () => {
    const functions = {
      title: 'The gateway by function',
      columns: ['self %', 'function'],
      code: ['function'],
      rows: [['7.0', '__get a|b.js:1']],
    };
    const seen = { benchmark: 'hold', notes: ['2 cores'], tables: [functions] };
    expect(observationText('profile', seen)).toBe(
      [
        '### hold: CPU profile',
        '',
        '- 2 cores',
        '',
        'The gateway by function:',
        '',
        '| self % | function |',
        '|---|---|',
        '| 7.0 | `__get a\\|b.js:1` |',
        '',
      ].join('\n'),
    );
  });

  test('[P7] a benchmark without a measured window of our servers says so', () => {
    const seen = { benchmark: 'bytes', notes: [], tables: [] };
    expect(tellObservation({ kind: 'syscalls', folder: '/nowhere' }, seen)).toContain(
      'bytes has no measured window of our servers: nothing was observed.',
    );
  });
});
