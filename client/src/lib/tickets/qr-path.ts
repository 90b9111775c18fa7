import { encode } from 'uqr';

/** A QR code as SVG path data, one unit a module, in a box of `size` × `size`. */
export interface QrPath {
  readonly size: number;
  readonly path: string;
}

/** Level Q survives a quarter of the code being creased or smudged, as paper tickets are. */
export function qrPathOf(text: string): QrPath {
  const { data, size } = encode(text, { ecc: 'Q', border: 0 });
  let path = '';
  data.forEach((line, y) => {
    for (let x = 0; x < line.length; x++) {
      if (!line[x]) continue;
      const from = x;
      while (line[x + 1]) x++;
      path += `M${from} ${y}h${x - from + 1}v1H${from}z`;
    }
  });
  return { size, path };
}
