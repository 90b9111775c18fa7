import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { BEARER_LENGTH_MAX } from '@stampede/shared/protocol/limits.ts';
import { describe, expect, it } from 'vitest';
import { BuyerSessions } from './buyer-session.ts';

const NOW = 1_700_000_000_000;
const DAY = 24 * 60 * 60 * 1_000;
const SECRET = Buffer.alloc(32, 7);
const sessions = new BuyerSessions([SECRET]);

describe('buyer sessions', () => {
  it('[P4] a signed session reads back as the same buyer, as bearer and as cookie', () => {
    const { session, bearer } = sessions.create(NOW);
    const read = { kind: 'session', session };
    expect(sessions.readBearer(bearer, NOW)).toEqual(read);
    expect(sessions.readCookie(`theme=dark; stampede_session=${bearer}; x`, false, NOW)).toEqual(read);
    expect(sessions.readCookie(`__Host-stampede_session=${bearer}`, true, NOW)).toEqual(read);
    const none = { authorization: '', cookie: '', https: false };
    expect(sessions.readRequest({ ...none, authorization: `Bearer ${bearer}` }, NOW)).toEqual(read);
    expect(sessions.readRequest({ ...none, cookie: `stampede_session=${bearer}` }, NOW)).toEqual(read);
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
        expect(sessions.readCookie(text, false, NOW).kind).not.toBe('session');
      }),
    );
  });

  it("[P6] another server's secret and a bare HMAC with our secret sign nothing of ours", () => {
    const elsewhere = new BuyerSessions([Buffer.alloc(32, 8)]).create(NOW);
    expect(sessions.readBearer(elsewhere.bearer, NOW)).toEqual({ kind: 'stale' });
    const [version, keyId] = sessions.create(NOW).bearer.split('.');
    const body = `${version}.${keyId}.${elsewhere.session.id}.${(NOW + DAY).toString(36)}`;
    const bare = createHmac('sha256', SECRET).update(body).digest('base64url');
    expect(sessions.readBearer(`${body}.${bare}`, NOW)).toEqual({ kind: 'stale' });
  });

  it('[P4] the newest secret signs, and the older ones are believed for as long as they are listed', () => {
    const newest = Buffer.alloc(32, 9);
    const rotated = new BuyerSessions([newest, SECRET]);
    const [before, after] = [sessions.create(NOW), rotated.create(NOW)];
    expect(rotated.readBearer(before.bearer, NOW)).toEqual({ kind: 'session', session: before.session });
    expect(sessions.readBearer(after.bearer, NOW)).toEqual({ kind: 'stale' });
    const alone = new BuyerSessions([newest]);
    expect(alone.readBearer(after.bearer, NOW)).toEqual({ kind: 'session', session: after.session });
    expect(alone.readBearer(before.bearer, NOW)).toEqual({ kind: 'stale' });
    // A visit moves a buyer over, so that the old secret can go one day.
    expect(alone.readBearer(rotated.renew(before.session, NOW).bearer, NOW).kind).toBe('session');
  });

  it('10.4 ends after seven days, to the millisecond', () => {
    const { session, bearer } = sessions.create(NOW);
    expect(session.expiresAt).toBe(NOW + 7 * DAY);
    expect(sessions.readBearer(bearer, session.expiresAt - 1).kind).toBe('session');
    expect(sessions.readBearer(bearer, session.expiresAt)).toEqual({ kind: 'stale' });
  });

  it('[P4] 10.4 lasts until the last show is over, up to 400 days', () => {
    expect(sessions.create(NOW, NOW + 90 * DAY).session.expiresAt).toBe(NOW + 92 * DAY);
    expect(sessions.create(NOW, NOW + 2 * DAY).session.expiresAt).toBe(NOW + 7 * DAY);
    expect(sessions.create(NOW, NOW + 900 * DAY).session.expiresAt).toBe(NOW + 400 * DAY);
  });

  it('[P4] 10.4 is renewed for the same buyer once half of its life is over, or for a show that is further away', () => {
    const { session, bearer } = sessions.create(NOW);
    expect(sessions.renew(session, NOW + 3 * DAY).bearer).toBe(bearer);
    const renewed = sessions.renew(session, NOW + 4 * DAY);
    expect(renewed.session).toEqual({ id: session.id, expiresAt: NOW + 11 * DAY });
    expect(sessions.readBearer(renewed.bearer, NOW + 10 * DAY).kind).toBe('session');
    expect(sessions.renew(session, NOW, NOW + 5 * DAY).bearer).toBe(bearer);
    expect(sessions.renew(session, NOW, NOW + 6 * DAY).session.expiresAt).toBe(NOW + 8 * DAY);
  });

  it('[P4] 10.4 one that was signed before the clock was set back lasts no longer than browsers keep a cookie', () => {
    const { session } = sessions.create(NOW + DAY, NOW + 900 * DAY);
    const renewed = sessions.renew(session, NOW, NOW + 900 * DAY);
    expect(renewed.session).toEqual({ id: session.id, expiresAt: NOW + 400 * DAY });
  });

  it('tells nothing presented from something that is no session', () => {
    expect(sessions.readCookie('', false, NOW)).toEqual({ kind: 'absent' });
    expect(sessions.readCookie('other=1; stampede_session_old=2', false, NOW)).toEqual({ kind: 'absent' });
    expect(sessions.readCookie('stampede_session=old', false, NOW)).toEqual({ kind: 'stale' });
    expect(sessions.readAuthorization('Basic abc', NOW)).toEqual({ kind: 'absent' });
  });

  it('[P6] 10.3 two cookies of the name are no session, whichever is good', () => {
    const { bearer } = sessions.create(NOW);
    const [ours, planted] = [`stampede_session=${bearer}`, 'stampede_session=planted'];
    for (const header of [`${planted}; ${ours}`, `${ours}; ${planted}`, `${ours}; ${ours}`]) {
      expect(sessions.readCookie(header, false, NOW)).toEqual({ kind: 'stale' });
    }
  });

  it('[P6] 10.1 over https only the cookie that nobody beside us can plant counts', () => {
    const { session, bearer } = sessions.create(NOW);
    const [plain, secure] = [`stampede_session=${bearer}`, `__Host-stampede_session=${bearer}`];
    expect(sessions.readCookie(plain, true, NOW)).toEqual({ kind: 'absent' });
    expect(sessions.readCookie(`stampede_session=planted; ${secure}`, true, NOW)).toEqual({
      kind: 'session',
      session,
    });
  });
});
