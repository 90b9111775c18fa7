import { describe, expect, it } from 'vitest';
import type { RecoveryStore } from '../../src/access/ticket-recovery.ts';
import { sessionId } from '../../src/platform/ids.ts';

/** What every store of recovery codes does; `another` is the same store as a second process has it. */
export function recoveryStoreContract(
  name: string,
  open: () => Promise<{ store: RecoveryStore; another: RecoveryStore; remove(): Promise<void> }>,
): void {
  describe(`recovery codes in ${name}`, () => {
    const [ann, bob] = [sessionId('ann'), sessionId('bob')];

    it('[P4] what one process remembers another one finds', async () => {
      const stand = await open();
      await stand.store.remember('digest-of-ann', ann, 1_000);
      await stand.another.remember('digest-of-bob', bob, 2_000);
      expect(await stand.another.sessionOf('digest-of-ann')).toBe(ann);
      expect(await stand.store.sessionOf('digest-of-bob')).toBe(bob);
      expect(await stand.store.sessionOf('digest-of-nobody')).toBeNull();
      await stand.remove();
    });

    it('[P6] digests that differ in case only are two', async () => {
      const stand = await open();
      await stand.store.remember('Digest', ann, 1_000);
      expect(await stand.store.sessionOf('digest')).toBeNull();
      await stand.remove();
    });

    it('one code is remembered once, however many do it at once', async () => {
      const stand = await open();
      const stores = Array.from({ length: 4 }, () => [stand.store, stand.another]).flat();
      await Promise.all(stores.map((store) => store.remember('digest', ann, 1_000)));
      await stand.store.remember('digest', ann, 2_000);
      expect(await stand.another.sessionOf('digest')).toBe(ann);
      await stand.remove();
    });
  });
}
