import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { BEARER_LENGTH_MAX } from '@stampede/shared/protocol/limits.ts';
import { describe, expect, it } from 'vitest';
import { BuyerSessions, sessionCookie } from './buyer-session.ts';

const NOW = 1_700_000_000_000;
const DAY = 24 * 60 * 60 * 1_000;
const sessions = new BuyerSessions(Buffer.alloc(32, 7));

describe('buyer sessions', () => {
  it('[P4] a signed session reads back as the same buyer, as bearer and as cookie', () => {
    const { session, bearer } = sessions.create(NOW);
    const read = { kind: 'session', session };
    expect(sessions.readBearer(bearer, NOW)).toEqual(read);
    expect(sessions.readCookie(`theme=dark; stampede_session=${bearer}; x`, NOW)).toEqual(read);
    expect(sessions.readRequest({ authorization: `Bearer ${bearer}`, cookie: '' }, NOW)).toEqual(read);
    expect(sessions.readRequest({ authorization: '', cookie: `stampede_session=${bearer}` }, NOW)).toEqual(
      read,
    );
  });

  it('ids are 128 random bits, and the text fits the protocol', () => {
    const { session, bearer } = sessions.create(NOW);
    expect(Buffer.from(session.id, 'base64url')).toHaveLength(16);
    expect(sessions.create(NOW).session.id).not.toBe(session.id);
    expect(bearer.length).toBeLessThanOrEqual(BEARER_LENGTH_MAX);
  });

  it('[P6] no change of a single character is accepted', () => {
    const { bearer } = sessions.create(NOW);
    fc.assert(
      fc.property(fc.nat(bearer.length - 1), fc.string({ minLength: 0, maxLength: 2 }), (at, other) => {
        fc.pre(bearer[at] !== other);
        const forged = bearer.slice(0, at) + other + bearer.slice(at + 1);
        expect(sessions.readBearer(forged, NOW)).toEqual({ kind: 'stale' });
      }),
    );
  });

  it('[P6] garbage of any kind is stale, never an error', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), (text) => {
        expect(sessions.readBearer(text, NOW)).toEqual({ kind: 'stale' });
        expect(sessions.readCookie(text, NOW).kind).not.toBe('session');
      }),
    );
  });

  it("[P6] another server's secret and a bare HMAC with our secret sign nothing of ours", () => {
    const elsewhere = new BuyerSessions(Buffer.alloc(32, 8)).create(NOW);
    expect(sessions.readBearer(elsewhere.bearer, NOW)).toEqual({ kind: 'stale' });
    const body = `s1.${elsewhere.session.id}.${(NOW + DAY).toString(36)}`;
    const bare = createHmac('sha256', Buffer.alloc(32, 7)).update(body).digest('base64url');
    expect(sessions.readBearer(`${body}.${bare}`, NOW)).toEqual({ kind: 'stale' });
  });

  it('ends after seven days, to the millisecond', () => {
    const { session, bearer } = sessions.create(NOW);
    expect(session.expiresAt).toBe(NOW + 7 * DAY);
    expect(sessions.readBearer(bearer, session.expiresAt - 1).kind).toBe('session');
    expect(sessions.readBearer(bearer, session.expiresAt)).toEqual({ kind: 'stale' });
  });

  it('[P4] is renewed for the same buyer once half of its life is over', () => {
    const { session, bearer } = sessions.create(NOW);
    expect(sessions.renew(session, NOW + 3 * DAY).bearer).toBe(bearer);
    const renewed = sessions.renew(session, NOW + 4 * DAY);
    expect(renewed.session).toEqual({ id: session.id, expiresAt: NOW + 11 * DAY });
    expect(sessions.readBearer(renewed.bearer, NOW + 10 * DAY).kind).toBe('session');
  });

  it('tells nothing presented from something that is no session', () => {
    expect(sessions.readCookie('', NOW)).toEqual({ kind: 'absent' });
    expect(sessions.readCookie('other=1; stampede_session_old=2', NOW)).toEqual({ kind: 'absent' });
    expect(sessions.readCookie('stampede_session=old', NOW)).toEqual({ kind: 'stale' });
    expect(sessions.readRequest({ authorization: 'Basic abc', cookie: '' }, NOW)).toEqual({ kind: 'absent' });
  });

  it('of several cookies of the name takes the good one', () => {
    const { session, bearer } = sessions.create(NOW);
    const header = `stampede_session=planted; stampede_session=${bearer}`;
    expect(sessions.readCookie(header, NOW)).toEqual({ kind: 'session', session });
  });

  it('the cookie is HttpOnly, strict and lives as long as the session; Secure only over https', () => {
    const signed = sessions.create(NOW);
    expect(sessionCookie(signed, false, NOW)).toBe(
      `stampede_session=${signed.bearer}; Path=/; Max-Age=604800; HttpOnly; SameSite=Strict`,
    );
    expect(sessionCookie(signed, true, NOW)).toMatch(/; Secure$/);
  });
});
