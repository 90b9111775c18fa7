import { describe, expect, it } from 'vitest';
import { acceptedCodings, isKnownTag, JsonRepresentation, PassingJson } from './http-representation.ts';

describe('codings a client takes', () => {
  it.each([
    ['', []],
    ['gzip, deflate, br, zstd', ['br', 'gzip']],
    ['GZIP', ['gzip']],
    ['*', ['br', 'gzip']],
    ['*;q=0, gzip', ['gzip']],
    ['br;q=0, *;q=0.5', ['gzip']],
    ['br ; q=0.1 , gzip ;q=1', ['br', 'gzip']],
    ['identity', []],
    ['gzip;q=rubbish', []],
    [';;,,=', []],
  ])('%j: %j', (header, codings) => {
    expect(acceptedCodings(header)).toEqual(codings);
  });
});

describe('tags a client knows', () => {
  it.each([
    ['W/"a"', true],
    ['"a"', true],
    ['"b", W/"a"', true],
    ['*', true],
    ['', false],
    ['"b"', false],
    ['a', false],
  ])('If-None-Match: %s → %s', (header, known) => {
    expect(isKnownTag(header, 'W/"a"')).toBe(known);
  });
});

describe('content as it is sent', () => {
  it('[P7] is compressed once per coding, and not at all when it is small', () => {
    const large = new JsonRepresentation('seat '.repeat(1_000), 'lasting');
    expect(large.coded('br')).toBe(large.coded('br'));
    expect(new JsonRepresentation('seat', 'lasting').coded('br')).toBeUndefined();
  });

  it('[P7] passing content is made at most once per age, however many ask', () => {
    let made = 0;
    const passing = new PassingJson(1_000, () => ({ made: ++made }));
    const first = passing.at(5_000);
    expect(passing.at(5_999)).toBe(first);
    expect(passing.at(6_000)).not.toBe(first);
    expect(made).toBe(2);
  });

  it('passing content is made anew when the clock was set back', () => {
    let made = 0;
    const passing = new PassingJson(1_000, () => ({ made: ++made }));
    passing.at(5_000_000);
    passing.at(5_000);
    expect(made).toBe(2);
  });

  it('passing content that did not change keeps its compressed bytes', () => {
    const passing = new PassingJson(1_000, () => 'the same');
    expect(passing.at(5_000)).toBe(passing.at(9_000));
  });
});
