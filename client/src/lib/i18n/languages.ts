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
