import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal, JournalReader } from './journal.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stampede-journal-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the journal of a run', () => {
  it('gives each entry once, whichever worker wrote it', () => {
    const reader = new JournalReader(folder);
    const journals = ['1', '2'].map((worker) => new Journal(folder, worker));
    journals.forEach((journal, buyer) => journal.write({ type: 'undecided', buyer }));
    expect(Object.fromEntries(reader.readNew())).toEqual({
      'worker-1.ndjson': [{ type: 'undecided', buyer: 0 }],
      'worker-2.ndjson': [{ type: 'undecided', buyer: 1 }],
    });
    journals[0]?.write({ type: 'error', kind: 'hold:busy', buyer: 3 });
    expect([...reader.readNew().values()].flat()).toEqual([{ type: 'error', kind: 'hold:busy', buyer: 3 }]);
  });

  it('waits for the rest of a line that is being written', () => {
    const reader = new JournalReader(folder);
    const file = join(folder, 'worker-1.ndjson');
    appendFileSync(file, '{"type":"undecided",');
    expect([...reader.readNew().values()].flat()).toEqual([]);
    appendFileSync(file, '"buyer":4}\n');
    expect([...reader.readNew().values()].flat()).toEqual([{ type: 'undecided', buyer: 4 }]);
  });

  it('keeps nothing without a folder', () => {
    new Journal(undefined, '1').write({ type: 'undecided', buyer: 1 });
    expect([...new JournalReader(folder).readNew().values()]).toEqual([]);
  });
});
