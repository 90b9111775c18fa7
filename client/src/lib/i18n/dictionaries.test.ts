import { describe, expect, it } from 'vitest';
import { ticketWords } from '#lib/tickets/ticket-words.ts';
import { en } from './en.ts';
import { instantText, moneyText } from './formats.ts';
import { ko } from './ko.ts';
import { chooseLanguage, regionOf } from './languages.ts';

/** Every text of a dictionary by its path; those with parameters are called with sample values. */
function textsOf(value: unknown, path = ''): Map<string, string> {
  if (typeof value === 'string') return new Map([[path, value]]);
  if (typeof value === 'function')
    return new Map([[path, String((value as (...given: unknown[]) => unknown)(2, '2', 'x', 'y'))]]);
  const texts = new Map<string, string>();
  for (const [key, child] of Object.entries(value as object)) {
    for (const [name, text] of textsOf(child, `${path}/${key}`)) texts.set(name, text);
  }
  return texts;
}

describe('dictionaries', () => {
  const english = textsOf({ ...en, tickets: ticketWords.en });
  const korean = textsOf({ ...ko, tickets: ticketWords.ko });

  it('have the same texts in every language', () => {
    expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('leave no text empty, and use every parameter that the other language uses', () => {
    for (const [path, text] of [...english, ...korean]) expect(text, path).not.toBe('');
    for (const [path, text] of english) {
      if (/undefined|NaN|\[object/.test(text + (korean.get(path) ?? ''))) expect.fail(path);
    }
  });

  it('are really translated', () => {
    const same = [...english].filter(([path, text]) => korean.get(path) === text && /[a-z]{4}/.test(text));
    expect(same.map(([path]) => path)).toEqual(['/site/name']);
  });
});

describe('language', () => {
  it('is the first wanted one that there is, by its main part', () => {
    expect(chooseLanguage([null, 'fr-FR', 'ko-KR', 'en'])).toBe('ko');
    expect(chooseLanguage(['EN-gb'])).toBe('en');
    expect(chooseLanguage(['ja'])).toBe('en');
  });
});

describe('the variety of a language', () => {
  it('is the browser’s own, else that of its region, else none', () => {
    expect(regionOf('en', ['en-GB', 'en-US'])).toBe('en-GB');
    expect(regionOf('en', ['ko-KR', 'en', 'en-AU'])).toBe('en-AU');
    expect(regionOf('en', ['de-AT', 'en'])).toBe('en-AT');
    expect(regionOf('ko', ['ko', 'ko-KR'])).toBe('ko-KR');
    expect(regionOf('en', ['eo', 'not a tag!'])).toBe('en');
    expect(regionOf('en', [])).toBe('en');
  });

  it('tells dates and amounts as people there write them', () => {
    const day = new Date('2027-01-20T10:00:00Z');
    expect(instantText(day, 'time', 'en-GB', 'Asia/Seoul')).toBe('19:00');
    expect(instantText(day, 'day', 'en-GB', 'Asia/Seoul')).toMatch(/^Wed,? 20 Jan 2027$/);
    expect(instantText(day, 'day', 'en-US', 'Asia/Seoul')).toBe('Wed, Jan 20, 2027');
    expect(moneyText(8_550, 'EUR', 'en-GB')).toBe('€85.50');
  });
});

describe('money', () => {
  it('knows how many minor units a currency has', () => {
    expect(moneyText(8_550, 'EUR', 'en')).toBe('€85.50');
    expect(moneyText(8_500, 'EUR', 'en')).toBe('€85');
    expect(moneyText(132_000, 'KRW', 'ko')).toBe('₩132,000');
    expect(moneyText(12_000, 'JPY', 'en')).toBe('¥12,000');
    expect(moneyText(1_234, 'KWD', 'en')).toContain('1.234');
  });
});
