/**
 * Each line breaks one promise of tsconfig.base.json on purpose. `npm run check` fails unless the checkers
 * complain about every one of them, so a checker that silently finds nothing is noticed.
 */
const names: string[] = [];

export const strictNull: string = null;
export const uncheckedIndex: string = names[0];
export const exactOptional: { note?: string } = { note: undefined };
export enum Erasable {
  One,
}
