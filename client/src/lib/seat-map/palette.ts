/** The map's own colours, and what stands for them where people chose theirs: what can be taken, is theirs, is gone. */
const COLOURS = {
  face: ['var(--face)', 'Canvas'],
  ink: ['var(--ink)', 'CanvasText'],
  onInk: ['var(--on-ink)', 'Canvas'],
  ink2: ['var(--ink-2)', 'CanvasText'],
  /** Under seats, and a section in which none is free. */
  ground: ['var(--line)', 'Canvas'],
  line: ['var(--line)', 'GrayText'],
  lineStrong: ['var(--line-strong)', 'GrayText'],
  mine: ['var(--ink)', 'Highlight'],
  onMine: ['var(--on-ink)', 'HighlightText'],
  taken: ['var(--signal)', 'GrayText'],
  freed: ['var(--good)', 'LinkText'],
} as const;

const LEVELS = 6;

/** Colours of the map, as the canvas needs them: resolved, for the scheme that is on. */
export type Palette = Readonly<Record<keyof typeof COLOURS, string>> & {
  readonly levels: readonly string[];
  /** How strongly a section is tinted, from hardly any seat free to all of them; ink stays legible on both. */
  readonly tint: readonly [least: number, most: number];
  readonly font: string;
};

/** Reads the colours as they apply inside `host`: only the browser knows what light-dark() or Canvas come to. */
export function readPalette(host: HTMLElement, forced: boolean): Palette {
  const probe = document.createElement('span');
  probe.hidden = true;
  probe.style.setProperty('forced-color-adjust', 'none');
  host.append(probe);
  const read = (colour: string) => {
    probe.style.color = colour;
    return getComputedStyle(probe).color;
  };
  const colours = Object.entries(COLOURS).map(([name, [ours, system]]) => [
    name,
    read(forced ? system : ours),
  ]);
  const palette = {
    // The table's names are the palette's.
    ...(Object.fromEntries(colours) as Record<keyof typeof COLOURS, string>),
    levels: Array.from({ length: LEVELS }, (_, level) => read(forced ? 'LinkText' : `var(--level-${level})`)),
    tint: forced ? ([0.08, 0.3] as const) : ([0.12, 0.58] as const),
    font: getComputedStyle(host).fontFamily,
  };
  probe.remove();
  return palette;
}

/** Price levels beyond the last colour begin again: the name beside a price tells them apart. */
export function levelColour(palette: Palette, level: number): string {
  return palette.levels[level % LEVELS] ?? palette.ink2;
}
