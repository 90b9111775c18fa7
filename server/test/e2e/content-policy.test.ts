import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BoxOffice } from './stand/box-office.ts';
import { launchBrowser } from './stand/stand.ts';

let office: BoxOffice;
let browser: Browser;
let page: Page;
beforeAll(async () => {
  [office, browser] = await Promise.all([BoxOffice.open([{ title: 'Guarded' }]), launchBrowser()]);
  page = await browser.newPage();
  await page.goto(office.server.url);
  await page.getByRole('heading', { name: 'Guarded' }).waitFor();
});
afterAll(async () => {
  await browser.close();
  await office.close();
});

/** What an expression throws in the page, by name; evaluated as text, because the types of a server know no document. */
const thrownBy = (expression: string): Promise<string> =>
  page.evaluate(
    `(() => { try { ${expression}; return 'nothing'; } catch (error) { return error.name; } })()`,
  );

const INLINE = `(async () => {
  const script = document.createElementNS('http://www.w3.org/2000/svg', 'script');
  script.append('window.ran = true');
  const block = document.createElement('div');
  block.setAttribute('style', 'width: 7px');
  block.className = 'guarded';
  const sheet = document.createElement('style');
  sheet.append('.guarded { width: 7px }');
  document.body.append(script, block, sheet);
  await new Promise((resolve) => requestAnimationFrame(resolve));
  return { ran: 'ran' in window, width: getComputedStyle(block).width };
})()`;

describe('[P6] what got into a page that is not ours', () => {
  test('text does not become elements by itself, and no policy can be made to get around that', async () => {
    expect(await thrownBy(`document.body.insertAdjacentHTML('beforeend', '<img src="x">')`)).toBe(
      'TypeError',
    );
    expect(await thrownBy(`trustedTypes.createPolicy('anything', {})`)).toBe('TypeError');
  });

  test('an inline script does not run, and an inline style styles nothing', async () => {
    const { ran, width } = await page.evaluate<{ ran: boolean; width: string }>(INLINE);
    expect(ran).toBe(false);
    expect(width).not.toBe('7px');
  });
});
