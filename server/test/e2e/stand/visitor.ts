import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, BrowserContext, Locator, Page } from 'playwright-core';
import { coloursSettle, reportViolations } from './in-page.ts';

export interface Device {
  readonly viewport: { readonly width: number; readonly height: number };
  readonly deviceScaleFactor: number;
  readonly isMobile: boolean;
  readonly hasTouch: boolean;
}

export const DESKTOP: Device = {
  viewport: { width: 1440, height: 900 },
  deviceScaleFactor: 1,
  isMobile: false,
  hasTouch: false,
};
export const PHONE: Device = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
};

export interface VisitorOptions {
  readonly device?: Device;
  readonly dark?: boolean;
  readonly locale?: string;
  /** Of the clocks where they are. */
  readonly timeZone?: string;
}

/** A condition that isn't met within this never is, even on a machine with other things to do. */
const PATIENCE_MS = 20_000;
const EVERY_RULE = "rules: { 'label-content-name-mismatch': { enabled: true } }";
const COLOUR_RULES = "runOnly: ['color-contrast', 'link-in-text-block']";
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** A page that is left cancels what it was still fetching. */
const CANCELLED = 'net::ERR_ABORTED';

/**
 * Somebody with a browser of their own. What a buyer would never see but a developer must is kept in `troubles`:
 * console errors and warnings, uncaught exceptions, violations of the content security policy, failed requests.
 */
export class Visitor {
  readonly page: Page;
  readonly troubles: string[];
  readonly #origin: string;

  private constructor(page: Page, origin: string, troubles: string[]) {
    this.page = page;
    this.#origin = origin;
    this.troubles = troubles;
    page.on('console', (message) => {
      const isTrouble = message.type() === 'error' || message.type() === 'warning';
      if (isTrouble) troubles.push(`console ${message.type()}: ${message.text()} ${message.location().url}`);
    });
    page.on('pageerror', (error) => troubles.push(`uncaught: ${error.stack ?? error.message}`));
    page.on('requestfailed', (request) => {
      const reason = request.failure()?.errorText ?? '';
      if (reason !== CANCELLED) troubles.push(`request failed: ${request.url()} ${reason}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) troubles.push(`answered ${response.status()}: ${response.url()}`);
    });
  }

  static async arrive(browser: Browser, origin: string, options: VisitorOptions = {}): Promise<Visitor> {
    const { device = DESKTOP, dark = false, locale = 'en-GB', timeZone = 'Europe/Vienna' } = options;
    const context = await browser.newContext({
      ...device,
      locale,
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
      timezoneId: timeZone,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    await context.addInitScript(reportViolations);
    return new Visitor(await context.newPage(), origin, []);
  }

  /** Another tab of the same browser. */
  async secondTab(): Promise<Visitor> {
    return new Visitor(await this.context.newPage(), this.#origin, this.troubles);
  }

  get context(): BrowserContext {
    return this.page.context();
  }

  get map(): Locator {
    return this.page.getByTestId('seat-map');
  }

  get cart(): Locator {
    return this.page.getByTestId('cart');
  }

  get countdown(): Locator {
    return this.page.getByTestId('hold-countdown');
  }

  get tickets(): Locator {
    return this.page.getByTestId('ticket');
  }

  get banner(): Locator {
    return this.page.getByTestId('connection-banner');
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole('button', { name });
  }

  /** A seat in the list, by its index in the show. */
  seat(seat: number, status?: 'free' | 'held' | 'sold' | 'mine'): Locator {
    return this.page.locator(`[data-seat="${seat}"]${status ? `[data-status="${status}"]` : ''}`);
  }

  async goTo(path: string): Promise<void> {
    await this.page.goto(this.#origin + path);
  }

  /** Waits until the page shows a step of the sale. */
  async reach(step: string): Promise<void> {
    await this.page.locator(`[data-step="${step}"]`).waitFor();
  }

  /** From a show's address to choosing seats, where nobody waits. */
  async enterSale(show: number): Promise<void> {
    await this.goTo(`/shows/${show}`);
    await this.button('Choose seats').click();
    await this.reach('choose');
  }

  /** Opens a section in the list view, where every seat is a button. */
  async openSection(name: string): Promise<void> {
    await this.button(/^List$/).click();
    await this.button(new RegExp(`^${name}`)).click();
    await this.page.getByRole('grid', { name }).waitFor();
  }

  /** Takes a seat in the open section. */
  async take(seat: number): Promise<void> {
    await this.seat(seat, 'free').click();
    await this.seat(seat, 'mine').waitFor();
  }

  /** From held seats to the button that pays. */
  async checkOut(): Promise<void> {
    await this.button('Check out').click();
    await this.reach('checkout');
  }

  async pay(): Promise<void> {
    await this.button(/^Pay /).click();
  }

  /** Seconds that the countdown of the hold shows. */
  async secondsLeft(): Promise<number> {
    const [minutes = NaN, seconds = NaN] = (await this.countdown.innerText()).split(':').map(Number);
    return minutes * 60 + seconds;
  }

  /**
   * Has axe look at a place as it stands, in light and in dark: what it finds serious is a trouble. Dark pages are the
   * same elements in other colours.
   */
  async look(place: string): Promise<void> {
    for (const [colorScheme, rules] of [
      ['dark', COLOUR_RULES],
      ['light', EVERY_RULE],
    ] as const) {
      await this.page.emulateMedia({ colorScheme });
      await this.page.evaluate(coloursSettle);
      const findings = await seriousFindings(this.page, rules);
      this.troubles.push(...findings.map((finding) => `${place} (${colorScheme}): ${finding}`));
    }
  }

  /** Troubles that a test brought about itself are taken out. */
  expectTrouble(pattern: RegExp): void {
    const others = this.troubles.filter((trouble) => !pattern.test(trouble));
    this.troubles.splice(0, this.troubles.length, ...others);
  }
}

/** What axe finds serious on a page, by rule, with the elements. Injected past the page's security policy. */
async function seriousFindings(page: Page, rules: string): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  if (!(await page.evaluate('"axe" in window'))) await session.send('Runtime.evaluate', { expression: AXE });
  const { result } = await session.send('Runtime.evaluate', {
    expression: `axe.run(document, { resultTypes: ['violations'], ${rules} })`,
    awaitPromise: true,
    returnByValue: true,
  });
  await session.detach();
  // The result of axe's own documented function.
  const { violations } = result.value as AxeResults;
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html} ${node.failureSummary ?? ''}`));
}
