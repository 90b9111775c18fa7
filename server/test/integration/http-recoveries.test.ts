import type { BearerOpened, RecoveryCode } from '@stampede/shared/protocol/http.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, expectError, type HttpStand, startHttpStand } from './http-stand.ts';

let stand: HttpStand;

async function start(): Promise<HttpStand['call']> {
  stand = await startHttpStand();
  return stand.call;
}

afterEach(() => stand.close());

const cookieOf = (answer: Answer): string => answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
const sessionIn = (text: string): string | undefined => text.split('.')[2];

async function buyerWithCode(call: HttpStand['call']) {
  const Cookie = cookieOf(await call('POST', '/api/sessions'));
  const answer = await call('GET', '/api/recoveries', { headers: { Cookie } });
  return { Cookie, answer, code: (answer.json() as RecoveryCode).code };
}

function recover(call: HttpStand['call'], body: object, headers = {}): Promise<Answer> {
  const json = { 'Content-Type': 'application/json', ...headers };
  return call('POST', '/api/recoveries', { body: JSON.stringify(body), headers: json });
}

describe('tickets that come back', () => {
  it('[P4] 10.6 who has tickets is told a code, the same each time and another than anybody else', async () => {
    const call = await start();
    const buyer = await buyerWithCode(call);
    expect(buyer.answer.status).toBe(200);
    expect(buyer.answer.headers['cache-control']).toBe('no-store');
    expect(buyer.code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    const again = await call('GET', '/api/recoveries', { headers: { Cookie: buyer.Cookie } });
    expect(again.json()).toEqual({ code: buyer.code });
    expect((await buyerWithCode(call)).code).not.toBe(buyer.code);
  });

  it('[P6] 10.6 nobody gets one without a session, nor before there are tickets', async () => {
    const call = await start();
    expectError(await call('GET', '/api/recoveries'), 401, 'not-authenticated');
    stand.sale.hasTickets = false;
    expectError((await buyerWithCode(call)).answer, 404, 'no-tickets');
  });

  it('[P4] 10.7 the code makes another browser the buyer, however it is typed', async () => {
    const call = await start();
    const { Cookie, code } = await buyerWithCode(call);
    const sloppy = ` ${code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l')} `;
    for (const typed of [code, sloppy, code.replaceAll('-', '').replaceAll('1', 'i')]) {
      const answer = await recover(call, { code: typed });
      expect(answer.status).toBe(200);
      expect(answer.json()).not.toHaveProperty('bearer');
      expect(sessionIn(cookieOf(answer))).toBe(sessionIn(Cookie));
    }
  });

  it('10.7 a client that asks for it gets the bearer, and no cookie', async () => {
    const call = await start();
    const { Cookie, code } = await buyerWithCode(call);
    const answer = await recover(call, { code, bearer: true });
    expect([answer.status, answer.headers['set-cookie']]).toEqual([200, undefined]);
    expect(sessionIn((answer.json() as BearerOpened).bearer)).toBe(sessionIn(Cookie));
  });

  it("[P6] 10.7 a code that is nobody's gives nothing, nor does a page of another origin get any", async () => {
    const call = await start();
    const { code } = await buyerWithCode(call);
    const wrong = code.replace(/.$/, (last) => (last === '0' ? '2' : '0'));
    for (const typed of [wrong, '', 'not a code', code.slice(1), `${code}0`, '\0\ud800', '％'.repeat(16)]) {
      const answer = await recover(call, { code: typed });
      expectError(answer, 404, 'recovery-unknown');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expectError(await recover(call, { code: 'x'.repeat(65) }), 422, 'invalid');
  });

  it('[P7] 10.7 who guesses is stopped, and others are not', async () => {
    const call = await start();
    const { code } = await buyerWithCode(call);
    for (let guess = 0; guess < 10; guess++) await recover(call, { code: 'nobody' });
    expectError(await recover(call, { code }), 429, 'rate-limited');
    const elsewhere = { body: JSON.stringify({ code }), headers: { 'Content-Type': 'application/json' } };
    expect((await call('POST', '/api/recoveries', { ...elsewhere, from: '127.0.0.2' })).status).toBe(200);
  });

  it('[P6] 10.7 a page of another origin gets nothing', async () => {
    const call = await start();
    const { code } = await buyerWithCode(call);
    expectError(await recover(call, { code }, { Origin: 'https://evil.example' }), 403, 'origin-not-allowed');
  });
});
