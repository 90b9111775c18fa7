import { describe, expect, it } from 'vitest';
import { errorsOf, isHeld, type LoadResult, markdownOf, summaryOf, verdictLines } from './load-report.ts';
import { judge, parseThreshold } from './thresholds.ts';

const measured = new Map([
  ['vusers.created', 50],
  ['stampede.requests', 400],
  ['stampede.errors', 2],
  ['stampede.tickets', 12],
  ['stampede.response_ms.count', 400],
  ['stampede.response_ms.p95', 31.25],
  ['errors.hold:busy', 2],
]);

function resultOf(limit: number, isClean = true): LoadResult {
  return {
    scenario: { name: 'spike', description: 'Many come.' },
    levels: [
      {
        label: '50 users',
        seconds: 12.3,
        measured,
        periods: Array.from({ length: 40 }, (_, index) => ({
          at: index * 10,
          requests: 5,
          errors: 0,
          p95Ms: 31,
        })),
        verdicts: [judge(parseThreshold(`stampede.response_ms.p95 < ${limit}`), measured)],
        errors: errorsOf(measured),
      },
    ],
    reconciliation: {
      soldSeats: 12,
      toldSeats: 12,
      soldToOthers: 0,
      oversold: isClean ? 0 : 1,
      undecided: 0,
      findings: new Map(),
      isClean,
    },
  };
}

describe('the report of a load', () => {
  it('fails with a threshold, and with the database', () => {
    expect(isHeld(resultOf(300))).toBe(true);
    expect(isHeld(resultOf(30))).toBe(false);
    expect(isHeld(resultOf(300, false))).toBe(false);
  });

  it('says at the terminal what held, by which value, and what was unexpected', () => {
    expect(verdictLines(resultOf(30))).toEqual([
      '50 users:',
      '  FAILED   stampede.response_ms.p95 < 30  (31.25)',
      '         2 × hold:busy',
      '  ok       database: 12 seats sold to these buyers, who were told of 12; 0 oversold',
    ]);
  });

  it('has the figures for programs', () => {
    expect(summaryOf(resultOf(300), 'x.md')).toMatchObject({
      scenario: 'spike',
      held: true,
      levels: [
        { label: '50 users', users: 50, requests: 400, errors: 2, tickets: 12, p95Ms: 31.25, p99Ms: null },
      ],
      database: { oversold: 0, findings: {} },
      report: 'x.md',
    });
  });

  it('is Markdown with tables', () => {
    const text = markdownOf(resultOf(300), {
      command: 'npm run load -- spike',
      at: new Date(0),
      servers: ['http://127.0.0.1:8083'],
      show: 'A show',
      machine: '2 cores',
      versions: 'Node 24',
      residentBytes: [[100_000_000, null]],
    });
    expect(text).toContain('# spike: every threshold held');
    expect(text).toContain('resident memory 100 MB before, ? after');
    expect(text).toContain('| ok | `stampede.response_ms.p95 < 300` | 31.25 |');
    expect(text).toContain('| response | 400 | not measured | 31.25 | not measured | not measured |');
    expect(text).toContain('| `stampede.tickets` | 12 |');
    const periods = text.match(/^\| \d+ \| 5 \| 0 \| 31 \|$/gm) ?? [];
    expect(periods).toHaveLength(15);
    expect([periods.at(0), periods.at(-1)]).toEqual(['| 0 | 5 | 0 | 31 |', '| 390 | 5 | 0 | 31 |']);
  });
});
