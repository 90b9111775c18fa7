/** Colours of the map, as the canvas needs them: resolved, for the scheme that is on. */
export interface Palette {
  readonly levels: readonly string[];
  readonly face: string;
  readonly ink: string;
  readonly onInk: string;
  readonly ink2: string;
  /** Under seats, and a section in which none is free. */
  readonly ground: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly mine: string;
  readonly onMine: string;
  readonly taken: string;
  readonly freed: string;
  /** How strongly a section is tinted, from hardly any seat free to all of them; ink stays legible on both. */
  readonly tint: readonly [least: number, most: number];
  readonly font: string;
}

const LEVELS = 6;
type Colours = Omit<Palette, 'levels' | 'tint' | 'font'>;

const OURS: Colours = {
  face: 'var(--face)',
  ink: 'var(--ink)',
  onInk: 'var(--on-ink)',
  ink2: 'var(--ink-2)',
  ground: 'var(--line)',
  line: 'var(--line)',
  lineStrong: 'var(--line-strong)',
  mine: 'var(--ink)',
  onMine: 'var(--on-ink)',
  taken: 'var(--signal)',
  freed: 'var(--good)',
};
/** Where people chose the colours, these tell what can be taken, what is theirs and what is gone. */
const SYSTEM: Colours = {
  face: 'Canvas',
  ink: 'CanvasText',
  onInk: 'Canvas',
  ink2: 'CanvasText',
  ground: 'Canvas',
  line: 'GrayText',
  lineStrong: 'GrayText',
  mine: 'Highlight',
  onMine: 'HighlightText',
  taken: 'GrayText',
  freed: 'LinkText',
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
  const names = forced ? SYSTEM : OURS;
  const palette: Palette = {
    levels: Array.from({ length: LEVELS }, (_, level) => read(forced ? 'LinkText' : `var(--level-${level})`)),
    face: read(names.face),
    ink: read(names.ink),
    onInk: read(names.onInk),
    ink2: read(names.ink2),
    ground: read(names.ground),
    line: read(names.line),
    lineStrong: read(names.lineStrong),
    mine: read(names.mine),
    onMine: read(names.onMine),
    taken: read(names.taken),
    freed: read(names.freed),
    tint: forced ? [0.08, 0.3] : [0.12, 0.58],
    font: getComputedStyle(host).fontFamily,
  };
  probe.remove();
  return palette;
}

/** Price levels beyond the last colour begin again: the name beside a price tells them apart. */
export function levelColour(palette: Palette, level: number): string {
  return palette.levels[level % LEVELS] ?? palette.ink2;
}
