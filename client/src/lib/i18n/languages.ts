/** The languages there are, and what each calls itself, in full and in a corner. */
export const languages = {
  en: { name: 'English', short: 'EN' },
  ko: { name: '한국어', short: '한' },
} as const;

export type Language = keyof typeof languages;

const isLanguage = (tag: string | undefined): tag is Language => tag !== undefined && tag in languages;

/** The first of the wanted languages (`ko-KR`, `en-GB` …) that has a dictionary; English if none has. */
export function chooseLanguage(wanted: readonly (string | null)[]): Language {
  return wanted.map((tag) => tag?.toLowerCase().split('-')[0]).find(isLanguage) ?? 'en';
}

/**
 * A language as the reader's region writes dates and money: the browser's own variety of it, else the language in the
 * region of the browser's first one (English in Austria), else the language alone.
 */
export function regionOf(language: Language, browser: readonly string[]): string {
  const locales = browser.flatMap((tag) => {
    try {
      return [new Intl.Locale(tag)];
    } catch {
      return [];
    }
  });
  const own = locales.find((locale) => locale.language === language && locale.region);
  const region = (own ?? locales.find((locale) => locale.region))?.region;
  return region ? `${language}-${region}` : language;
}
