import { refusalCodes, type RefusalCode } from '@stampede/shared/protocol/codes.ts';
import { done, type Outcome, refuse } from './outcome.ts';
import { listOf, numberOf, numbersOf, textOf } from './redis-packing.ts';

const names = Object.keys(refusalCodes) as RefusalCode[];
const nameByNumber = new Map(names.map((name) => [-refusalCodes[name], name]));

/** What the scripts write as `REFUSED.seat_taken`: the protocol's number of that refusal, negative. */
export const refusalConstants: ReadonlyMap<string, number> = new Map(
  names.map((name) => [name.replaceAll('-', '_'), -refusalCodes[name]]),
);

/** The refusal that a script means by a number. */
export function refusalNamed(number: number): RefusalCode {
  const code = nameByNumber.get(number);
  if (!code) throw new Error(`a script refused with ${number}, which is no refusal of the protocol`);
  return code;
}

/** Reads what a script decided: `{0, value}`, or `{refusal number, seats in the way, detail, retry after ms}`, the last
 * where there is such a time. */
export function outcomeOf<T>(answer: unknown, decode: (value: unknown) => T): Outcome<T> {
  const [number, value, detail, retryAfterMs = 0] = listOf(answer);
  if (number === 0) return done(decode(value));
  return refuse(refusalNamed(numberOf(number)), {
    seats: numbersOf(value),
    detail: textOf(detail),
    retryAfterMs: numberOf(retryAfterMs),
  });
}
