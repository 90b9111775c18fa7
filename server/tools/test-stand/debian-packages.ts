import { existsSync } from 'node:fs';
import { runChild } from '../checks/child-process.ts';
import { findProgram, installDebianPackages } from '../stack/programs.ts';

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

/** Something the tests need from the operating system, and the Debian package that brings it. */
interface Need {
  readonly package: string;
  readonly why: string;
  isMet(): Promise<boolean>;
}

const hasFontFor = (language: string) => async (): Promise<boolean> => {
  const { code, output } = await runChild('fc-list', [`:lang=${language}`, 'family'], { output: 'keep' });
  return code === 0 && output.trim() !== '';
};

const NEEDS: readonly Need[] = [
  {
    package: 'chromium',
    why: 'the end-to-end tests drive a real browser',
    isMet: async () => findBrowser() !== undefined,
  },
  {
    package: 'fontconfig',
    why: 'the browser finds its fonts with it',
    isMet: async () => existsSync('/usr/bin/fc-list'),
  },
  {
    package: 'nginx',
    why: 'its production configuration is tried with it',
    isMet: async () => findProgram('nginx') !== undefined,
  },
  { package: 'fonts-liberation', why: 'text on the tested screens', isMet: hasFontFor('en') },
  {
    package: 'fonts-noto-cjk',
    why: 'Chinese, Japanese and Korean names on the tested screens',
    isMet: hasFontFor('ja'),
  },
];

/**
 * Installs what the tests need from Debian or Ubuntu and is missing. Where it can't (another system, not root) it
 * says what to install and goes on: the tests that need it will fail and say so.
 */
export async function provideDebianPackages(): Promise<void> {
  const unmet: Need[] = [];
  for (const need of NEEDS) if (!(await need.isMet())) unmet.push(need);
  if (unmet.length === 0) return;

  for (const need of unmet) console.log(`Missing: ${need.package} (${need.why}).`);
  const names = unmet.map((need) => need.package);
  console.log(`Installing ${names.join(', ')} …`);
  const result = await installDebianPackages(names);
  if (result.kind === 'impossible') {
    console.log(`Please install what these bring; on Debian, as root: apt-get install ${names.join(' ')}`);
    return;
  }
  if (result.kind === 'failed') console.log(result.output);
  console.log(`Installing ${names.join(', ')}: ${result.kind === 'installed' ? 'done' : 'failed'}.`);
}
