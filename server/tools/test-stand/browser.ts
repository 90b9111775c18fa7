import { existsSync } from 'node:fs';

/** Debian's and Ubuntu's names first, then what a developer's machine or a CI runner usually has. */
const BROWSERS = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** @returns the path of a Chromium to drive (`CHROMIUM_PATH` wins), or undefined when the machine has none */
export function findBrowser(): string | undefined {
  const chosen = process.env.CHROMIUM_PATH;
  return chosen ?? BROWSERS.find((path) => existsSync(path));
}
