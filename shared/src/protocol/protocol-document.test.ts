import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { closeCodes, mayReconnect, refusalCodes } from './codes.ts';
import { decodeClientFrame, decodeServerFrame, encodeClientMessage, encodeServerMessage } from './codec.ts';
import type { Fields } from './fields.ts';
import * as limits from './limits.ts';
import { type ClientMessage, clientMessages, type ServerMessage, serverMessages } from './messages.ts';

const documentText = readFileSync(new URL('../../PROTOCOL.md', import.meta.url), 'utf8');

function messageRows(
  table: Readonly<Record<string, { readonly opcode: number; readonly fields: Fields }>>,
): string[] {
  return Object.entries(table).map(([type, { opcode, fields }]) => {
    const wires = Object.entries(fields).map(([name, field]) => `\`${name}\` ${field.wire}`);
    return `| 0x${opcode.toString(16).padStart(2, '0')} | \`${type}\` | ${wires.join('<br>')} |`;
  });
}

/** Every table row of the document that begins as the pattern says, its cells trimmed. */
function rows(pattern: RegExp): string[] {
  return documentText
    .split('\n')
    .filter((line) => pattern.test(line))
    .map((line) => line.replaceAll(/\s*\|\s*/g, ' | ').trim());
}

function firstCells(row: string, count: number): string {
  return row.split(' | ').slice(0, count).join(' ').replace('| ', '');
}

interface Example {
  readonly from: string;
  readonly json: string;
  readonly hex: string;
}

function examples(): Example[] {
  const found = documentText.matchAll(/```\n(client|server) (\{.*\})\n([0-9a-f \n]+)\n```/g);
  return Array.from(found, ([, from = '', json = '', hex = '']) => ({
    from,
    json,
    hex: hex.replaceAll('\n', ' '),
  }));
}

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex, 'hex'));
}

/** Bytes stand in the document's JSON as `hex:…`. */
function fromDocument(json: string): unknown {
  return JSON.parse(json, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith('hex:') ? bytesOf(value.slice('hex:'.length)) : value,
  );
}

/** Rules about what the socket library does by itself. */
const UNQUOTED = ['13.2'];
const ROOT = new URL('../../../', import.meta.url);
const TITLE =
  /\b(?:it|test|describe)(?:\.\w+)*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|<[^>]*>)*\(\s*(['"`])(.*?)\1/gs;

/** The titles of all tests of the project. */
function testTitles(): readonly string[] {
  const files = ['shared/src', 'server/src', 'server/test', 'client/src', 'artillery/engine'].flatMap(
    (folder) =>
      readdirSync(new URL(folder, ROOT), { recursive: true, encoding: 'utf8' })
        .filter((name) => /(\.test|\.contract|-rules)\.ts$/.test(name))
        .map((name) => new URL(`${folder}/${name}`, ROOT)),
  );
  return files.flatMap((file) =>
    [...readFileSync(file, 'utf8').matchAll(TITLE)].map(([, , title = '']) => title),
  );
}

describe('PROTOCOL.md', () => {
  test('3.10 lists every message of the table with its fields, and no other', () => {
    expect(rows(/^\| 0x[0-3]/)).toEqual(messageRows(clientMessages));
    expect(rows(/^\| 0x[4-7]/)).toEqual(messageRows(serverMessages));
  });

  test('1.6 no two messages of a direction share an opcode', () => {
    for (const table of [Object.values(clientMessages), Object.values(serverMessages)]) {
      const opcodes = table.map((message): number => message.opcode);
      expect(new Set(opcodes).size).toBe(opcodes.length);
    }
  });

  test('7 explains every refusal code, and no other', () => {
    const listed = rows(/^\| 7\.\d/).map((row) => firstCells(row, 2));
    expect(listed).toEqual(Object.entries(refusalCodes).map(([name, number]) => `7.${number} \`${name}\``));
  });

  test('8.1 explains every close code, and whether to come back', () => {
    const listed = rows(/^\| 4\d{3}/).map((row) => firstCells(row, 3));
    expect(listed).toEqual(
      Object.entries(closeCodes).map(
        ([name, code]) => `${code} \`${name}\` ${mayReconnect(code) ? 'yes' : 'no'}`,
      ),
    );
  });

  test('9 states every bound', () => {
    const listed = rows(/^\| `[A-Z_]+`/).map((row) => firstCells(row, 2));
    const bounds = Object.entries(limits).filter(([, value]) => typeof value === 'number');
    const stated = bounds.map(([name, value]) => `\`${name}\` ${value.toLocaleString('en')}`);
    expect(listed.toSorted()).toEqual(stated.toSorted());
  });

  test.each(examples())('gives the bytes of $json', ({ from, json, hex }) => {
    const message = fromDocument(json);
    const frame = bytesOf(hex.replaceAll(' ', ''));
    // The frame is what is tested; that the JSON is a message shows when both agree.
    const encoded =
      from === 'client'
        ? encodeClientMessage(message as ClientMessage)
        : encodeServerMessage(message as ServerMessage);
    expect(Buffer.from(encoded).toString('hex')).toBe(hex.replaceAll(' ', ''));
    expect(from === 'client' ? decodeClientFrame(frame) : decodeServerFrame(frame)).toEqual({
      ok: true,
      message,
    });
  });

  test('every rule is quoted by a test, but those that are named here', () => {
    const rules = [...documentText.matchAll(/^(?:- \*\*|\| )(\d+\.\d+)(?:\*\*|\s*\|)/gm)].map(
      ([, rule = '']) => rule,
    );
    expect(new Set(rules).size).toBe(rules.length);
    const quoted = new Set(testTitles().flatMap((title) => title.match(/\b\d+\.\d+\b/g) ?? []));
    expect(rules.filter((rule) => !quoted.has(rule))).toEqual(UNQUOTED);
  });

  test('gives examples of every message that travels often', () => {
    const shown = examples().map(({ json }) => /"type":"([a-z-]+)"/.exec(json)?.[1]);
    const often = [
      'watch',
      'acknowledge',
      'hold',
      'checkout',
      'waiting',
      'admitted',
      'snapshot',
      'delta',
      'summary',
      'refused',
    ];
    for (const type of often) expect(shown).toContain(type);
  });
});
