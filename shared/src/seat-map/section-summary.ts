import { VarintReader, VarintWriter } from './varint.ts';

/** What a buyer sees of a section that is not in view. */
export interface SectionSummary {
  readonly section: number;
  readonly free: number;
  /** Price level of the cheapest free seat; null when none is free. */
  readonly cheapest: number | null;
}

/** Packs summaries, sorted by section, as varint triples `gap, free, cheapest + 1` (rule 5.6). */
export function encodeSummaries(summaries: readonly SectionSummary[]): Uint8Array {
  const writer = new VarintWriter();
  let before = 0;
  for (const { section, free, cheapest } of summaries.toSorted((a, b) => a.section - b.section)) {
    writer.write(section - before);
    writer.write(free);
    writer.write(cheapest === null ? 0 : cheapest + 1);
    before = section;
  }
  return writer.finish();
}

/** Reads packed summaries; null if they are broken or name a section outside `0…sectionCount − 1`. */
export function decodeSummaries(packed: Uint8Array, sectionCount: number): SectionSummary[] | null {
  const reader = new VarintReader(packed);
  const summaries: SectionSummary[] = [];
  let section = 0;
  while (!reader.done) {
    section += reader.read();
    const free = reader.read();
    const cheapest = reader.read();
    if (section >= sectionCount) return null;
    summaries.push({ section, free, cheapest: cheapest === 0 ? null : cheapest - 1 });
  }
  return reader.broken ? null : summaries;
}
