/** Something the caller can mend; its message is one line and names the option, the file or the address. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}
