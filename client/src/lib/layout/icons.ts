/** Drawn by Lucide (lucide.dev, ISC licence) for 24 × 24; its package would bring a renderer for any drawing. */
export const icons = {
  back: 'm12 19-7-7 7-7M19 12H5',
  close: 'M18 6 6 18M6 6l12 12',
  copy: 'M10 8h10a2 2 0 0 1 2 2v10a2 2 0 0 1-2 2H10a2 2 0 0 1-2-2V10a2 2 0 0 1 2-2M4 16a2 2 0 0 1-2-2V4a2 2 0 0 1 2-2h10a2 2 0 0 1 2 2',
  minus: 'M5 12h14',
  plus: 'M5 12h14M12 5v14',
  unfold: 'm18 15-6-6-6 6',
  whole: 'M8 3H5a2 2 0 0 0-2 2v3M21 8V5a2 2 0 0 0-2-2h-3M3 16v3a2 2 0 0 0 2 2h3M16 21h3a2 2 0 0 0 2-2v-3',
} as const;

export type IconName = keyof typeof icons;
