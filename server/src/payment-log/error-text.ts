/** An error may quote a whole record. */
const LENGTH_MAX = 1_000;

/** An error's message with those of what caused it, for people who look at what was put aside. */
export function errorText(cause: unknown): string {
  return messagesOf(cause).slice(0, LENGTH_MAX).toWellFormed();
}

function messagesOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  const inner = cause instanceof AggregateError ? (cause.errors as unknown[]) : [cause.cause];
  return [cause.message, ...inner.filter((one) => one !== undefined).map(messagesOf)].join(': ');
}
