/** Colours of the map, as the canvas needs them: resolved, for the scheme that is on. */
export interface Palette {
  readonly levels: readonly string[];
  readonly face: string;
  readonly ink: string;
  readonly onInk: string;
  readonly ink2: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly signal: string;
  readonly font: string;
}

const LEVELS = 6;

/** Reads the tokens as they apply inside `host`: only the browser knows what light-dark() comes to. */
export function readPalette(host: HTMLElement): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  const read = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const palette: Palette = {
    levels: Array.from({ length: LEVELS }, (_, level) => read(`level-${level}`)),
    face: read('face'),
    ink: read('ink'),
    onInk: read('on-ink'),
    ink2: read('ink-2'),
    line: read('line'),
    lineStrong: read('line-strong'),
    signal: read('signal'),
    font: getComputedStyle(host).fontFamily,
  };
  probe.remove();
  return palette;
}

/** Price levels beyond the last colour begin again: the name beside a price tells them apart. */
export function levelColour(palette: Palette, level: number): string {
  return palette.levels[level % LEVELS] ?? palette.ink2;
}
