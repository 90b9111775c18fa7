import { type Progress, STAGES } from '../engine/journal.ts';

/** How often a log gets a line; a terminal's line is renewed each time. */
const LOG_INTERVAL_S = 3;
const CLEAR_LINE = '\r\u001b[2K';

/** One line that says where everybody is. */
export function progressLine({ stages, requests, errors, ticketsTold }: Progress, seconds: number): string {
  const standing = STAGES.filter((stage) => stages[stage] > 0).map((stage) => `${stages[stage]} ${stage}`);
  const shown = standing.length === 0 ? ['Artillery is starting'] : [...standing, `${requests} requests`];
  if (ticketsTold > 0) shown.push(`${ticketsTold} tickets`);
  if (errors > 0) shown.push(`${errors} UNEXPECTED`);
  return `${String(Math.round(seconds)).padStart(4)} s  ${shown.join(' · ')}`;
}

/** Shows progress on a stream as it comes; `end` leaves the stream at the start of a line. */
export class LoadProgress {
  readonly #stream: NodeJS.WriteStream;
  #nextAt = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  show(progress: Progress, seconds: number): void {
    const line = progressLine(progress, seconds);
    if (this.#stream.isTTY) {
      this.#stream.write(`${CLEAR_LINE}${line.slice(0, this.#stream.columns - 1)}`);
    } else if (seconds >= this.#nextAt) {
      this.#nextAt = seconds + LOG_INTERVAL_S;
      this.#stream.write(`${line}\n`);
    }
  }

  end(): void {
    this.#nextAt = 0;
    if (this.#stream.isTTY) this.#stream.write(CLEAR_LINE);
  }
}
