/** Figures beside the headline: rows of texts and numbers under their columns. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  /** Columns whose cells are names out of programs, to be set as such. */
  readonly code?: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}
