import type { SessionId } from '../platform/ids.ts';

/** Whose tickets a recovery code brings back. Codes come as digests only. */
export interface RecoveryStore {
  /** Remembers a code for good; remembering it again changes nothing. */
  remember(codeDigest: string, session: SessionId, now: number): Promise<void>;
  sessionOf(codeDigest: string): Promise<SessionId | null>;
}
