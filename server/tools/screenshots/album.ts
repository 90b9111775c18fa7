import { mkdirSync, writeFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import UPNG from 'upng-js';
import { coloursSettle } from '../../test/e2e/stand/in-page.ts';
import { ROOT } from '../checks/child-process.ts';

/** Text stays crisp with this many colours, and a picture takes a quarter of the bytes. */
const COLOURS = 64;
const FOLDER = `${ROOT}/docs/screenshots`;

export interface Look {
  readonly dark?: boolean;
  readonly korean?: boolean;
}

/** The pictures that were taken, and where they are kept. */
export class Album {
  readonly #device: string;
  readonly #pictures = new Map<string, Buffer>();

  /** `device` is the last part of every file's name. */
  constructor(device: string) {
    this.#device = device;
  }

  /** Takes a picture of what the page shows, as it is or in another look, and puts the page back. */
  async take(page: Page, name: string, look: Look = {}): Promise<void> {
    const inKorean = page.getByRole('button', { name: '한국어' });
    const inEnglish = page.getByRole('button', { name: 'English' });
    if (look.dark) await page.emulateMedia({ colorScheme: 'dark' });
    if (look.korean) {
      await inKorean.click();
      // Its words are fetched when they are first wanted.
      await page.locator('html[lang="ko"]').waitFor();
    }
    await page.evaluate('document.fonts.ready');
    await page.evaluate(coloursSettle);
    const whole = await page.screenshot({ caret: 'hide' });
    if (look.korean) await inEnglish.click();
    if (look.dark) await page.emulateMedia({ colorScheme: 'light' });

    const suffix = `${look.korean ? '-korean' : ''}${look.dark ? '-dark' : ''}`;
    this.#pictures.set(`${name}-${this.#device}${suffix}.png`, whole);
  }

  /** Makes the pictures small, which the sale would not wait for, and keeps them. */
  keep(): void {
    mkdirSync(FOLDER, { recursive: true });
    let bytes = 0;
    for (const [name, whole] of this.#pictures) {
      const small = smaller(whole);
      writeFileSync(`${FOLDER}/${name}`, small);
      bytes += small.length;
    }
    console.log(`${this.#pictures.size} pictures on a ${this.#device}, ${Math.round(bytes / 1024)} KiB`);
  }
}

function smaller(png: Buffer): Buffer {
  const image = UPNG.decode(new Uint8Array(png).buffer);
  return Buffer.from(UPNG.encode(UPNG.toRGBA8(image), image.width, image.height, COLOURS));
}
