import { createContext } from 'svelte';
import { lasting } from '#lib/browser-shelf.ts';
import type { Dictionary } from './en.ts';
import { type InstantStyle, instantText, isLocalTime, moneyText, zoneName } from './formats.ts';
import { chooseLanguage, type Language, regionOf } from './languages.ts';

/** A reader fetches the words of one language, while the page fetches what it is about. */
const dictionaries = {
  en: () => import('./en.ts').then((module) => module.en),
  ko: () => import('./ko.ts').then((module) => module.ko),
} satisfies Record<Language, () => Promise<Dictionary>>;

const STORAGE_KEY = 'stampede:language';

/** The reader's language: their words, numbers, dates and money. */
export class Locale {
  #spoken: { language: Language; words: Dictionary };
  #wanted: Language;
  /** The language as it is written where the reader is: `en-GB`. */
  readonly #region = $derived.by(() => regionOf(this.language, navigatorLanguages()));
  readonly #number = $derived.by(() => new Intl.NumberFormat(this.#region));

  private constructor(language: Language, words: Dictionary) {
    this.#spoken = $state.raw({ language, words });
    this.#wanted = language;
  }

  /** Of this browser: what the reader chose before, else what the browser prefers. */
  static async ofBrowser(): Promise<Locale> {
    const language = chooseLanguage([lasting.read(STORAGE_KEY), ...navigator.languages]);
    const words = await dictionaries[language]().catch(() => null);
    return words ? new Locale(language, words) : Locale.inEnglish();
  }

  /** Of the prerendered pages. */
  static async inEnglish(): Promise<Locale> {
    return new Locale('en', await dictionaries.en());
  }

  get language(): Language {
    return this.#spoken.language;
  }

  get t(): Dictionary {
    return this.#spoken.words;
  }

  /** Changes the language, as soon as its words have come, and remembers it. */
  async choose(language: Language): Promise<void> {
    this.#wanted = language;
    const words = await dictionaries[language]().catch(() => null);
    // They can't be had, or another language was chosen meanwhile.
    if (!words || this.#wanted !== language) return;
    this.#spoken = { language, words };
    lasting.keep(STORAGE_KEY, language);
  }

  number(value: number): string {
    return this.#number.format(value);
  }

  /** `amount` in minor units of an ISO 4217 currency. */
  money(amount: number, currency: string): string {
    return moneyText(amount, currency, this.#region);
  }

  /** An instant by the calendar of a venue. */
  on(instant: string, style: InstantStyle, timeZone: string): string {
    return instantText(new Date(instant), style, this.#region, timeZone);
  }

  /** The time by the clocks of a venue, with the zone's name for a reader whose own clocks show another. */
  time(instant: string, timeZone: string): string {
    const at = new Date(instant);
    const text = instantText(at, 'time', this.#region, timeZone);
    return isLocalTime(at, timeZone) ? text : `${text} ${zoneName(at, this.#region, timeZone)}`;
  }

  /**
   * A moment by the reader's own clocks, for what they do where they are. Beside a show in another zone, which is
   * named there, the reader's zone has its name too.
   */
  moment(instant: number, besides?: string): string {
    const at = new Date(instant);
    const text = instantText(at, 'moment', this.#region);
    return !besides || isLocalTime(at, besides) ? text : `${text} ${zoneName(at, this.#region)}`;
  }
}

/** Prerendering has no reader, and no other languages than Node's own. */
function navigatorLanguages(): readonly string[] {
  return 'document' in globalThis ? navigator.languages : [];
}

export const [getLocale, setLocale] = createContext<Locale>();
