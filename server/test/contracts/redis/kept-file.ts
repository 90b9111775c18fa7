import { cpSync, rmSync } from 'node:fs';
import type { NativeServer } from '../../../tools/stack/native-server.ts';
import { waitUntil } from '../../../tools/stack/wait-until.ts';
import { withNode } from './redis-stand.ts';

const PATIENCE_MS = 10_000;

/**
 * Keeps what a Redis has on disk at this moment; the returned function starts the server anew from it, and everything
 * written since is lost: a power cut between two writes to disk, a copy that was restored, an older append-only file.
 */
export async function keepFile(server: NativeServer): Promise<() => Promise<void>> {
  const folder = await withNode(server.url, async (redis) => {
    // A write waits for the disk while an earlier one is on its way there.
    await waitUntil(
      async () => (await redis.info('persistence')).includes('aof_buffer_length:0\r'),
      PATIENCE_MS,
    );
    return String((await redis.config('GET', 'dir'))[1]);
  });
  const kept = `${folder}-kept`;
  cpSync(folder, kept, { recursive: true });
  return async () => {
    await server.kill();
    rmSync(folder, { recursive: true });
    cpSync(kept, folder, { recursive: true });
    await server.start();
  };
}
