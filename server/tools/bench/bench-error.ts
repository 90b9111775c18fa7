/** Something keeps a benchmark from measuring; its message is one line that says what, and what to do about it. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}
