import type { Section } from '@stampede/shared/seat-map/seat-map.ts';

export interface Tier {
  readonly name: string;
  readonly sections: readonly Section[];
}

/** Sections by tier, both in the venue's own order. */
export function tiersOf(sections: readonly Section[]): readonly Tier[] {
  const tiers = Map.groupBy(sections, (section) => section.tier);
  return [...tiers].map(([name, members]) => ({ name, sections: members }));
}
