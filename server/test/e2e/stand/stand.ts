import { type Browser, chromium } from 'playwright-core';
import { expect } from 'vitest';
import { BoxOffice, type ShowPlan } from './box-office.ts';
import { Visitor, type VisitorOptions } from './visitor.ts';
import { orFail, Shopper } from '../../../tools/shopper/shopper.ts';
import type { Settings } from '../../../tools/tasks/server-process.ts';
import { findBrowser } from '../../../tools/test-stand/debian-packages.ts';

const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser();
  if (executablePath === undefined) throw new Error('no Chromium: install chromium, or set CHROMIUM_PATH');
  return chromium.launch({ executablePath, args: BROWSER_FLAGS });
}

/** What a journey needs: a running server, a browser, and people. */
export class Stand {
  readonly office: BoxOffice;
  readonly #browser: Browser;
  #visitors: Visitor[] = [];
  #rivals: Shopper[] = [];

  private constructor(office: BoxOffice, browser: Browser) {
    this.office = office;
    this.#browser = browser;
  }

  static async open(shows: readonly ShowPlan[], settings: Settings = {}): Promise<Stand> {
    const [office, browser] = await Promise.all([BoxOffice.open(shows, settings), launchBrowser()]);
    return new Stand(office, browser);
  }

  async visitor(options: VisitorOptions & { readonly origin?: string } = {}): Promise<Visitor> {
    const { origin = this.office.server.url, ...others } = options;
    const visitor = await Visitor.arrive(this.#browser, origin, others);
    this.#visitors.push(visitor);
    return visitor;
  }

  /** Another buyer of a show, without a browser, already let in. */
  async rival(title: string): Promise<Shopper> {
    return (await this.rivalWaiting(title)).admitted();
  }

  /** Another buyer of a show, without a browser, somewhere in its waiting room. */
  async rivalWaiting(title: string): Promise<Shopper> {
    const rival = await Shopper.arrive(this.office.server.port, this.office.show(title));
    orFail(await rival.client.join());
    this.#rivals.push(rival);
    return rival;
  }

  /** Ends a test: everybody goes home, and nobody's browser may have had anything to complain about. */
  async clear(): Promise<void> {
    const troubles = this.#visitors.flatMap((visitor) => visitor.troubles);
    for (const { client } of this.#rivals) client.stop();
    await Promise.all(this.#visitors.map(({ context }) => context.close()));
    this.#visitors = [];
    this.#rivals = [];
    expect(troubles).toEqual([]);
  }

  /** Ends a file: the server may not have complained either, but of what a test did wrong on purpose. */
  async close(expected?: RegExp): Promise<void> {
    await this.#browser.close();
    await this.office.close();
    const complaints = this.office.server.complaints.split('\n').filter((line) => !expected?.test(line));
    expect(complaints.join('\n')).toBe('');
  }
}
