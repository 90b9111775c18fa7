import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { AVAILABLE, HELD } from '@stampede/shared/seat-map/seat-status.ts';
import { type AppStand, startAppStand } from './app-stand.ts';
import type { PlainSocket } from './app-stand-socket.ts';

const SEATS = 60_000;
/** Far more than the kernel's buffers on both ends and the server's own take. */
const ROUNDS = 100;

let stand: AppStand;
let reader: PlainSocket;

beforeEach(async () => {
  stand = await startAppStand({ shows: [{ sectionSeats: [SEATS] }] });
  reader = await stand.socket();
  await reader.ask({ type: 'enter', show: stand.show().id });
  await reader.ask({ type: 'watch', sections: [{ section: 0, epoch: 0, sequence: 0 }] });
});
afterEach(async () => {
  reader.resume();
  await reader.cut();
  await stand.stop();
  expect(stand.errors).toEqual([]);
});

/** Changes every seat in each round and broadcasts it: some 60 kB a round for each watcher. */
async function flicker(rounds: number): Promise<void> {
  const all = ([HELD, AVAILABLE] as const).map((status) =>
    Array.from({ length: SEATS }, (_, seat) => ({ seat, status })),
  );
  for (let round = 0; round < rounds; round++) {
    stand.sale().onEntries([{ changes: all[round % 2] ?? [], notice: null }]);
    await stand.pass(50);
  }
}

describe('a buyer whose network is slower than the sale', () => {
  test('[P5] what was not sent because too much was unread is made good by a snapshot, though nothing changes any more', async () => {
    reader.pause();
    await flicker(ROUNDS);
    reader.resume();
    const { board } = stand.sale();
    const told = (): number =>
      Math.max(...[...reader.of('snapshot'), ...reader.of('delta')].map((one) => one.sequence));
    await stand.until('everything told', () => told() === board.sequence(0));
    expect(reader.of('delta').length).toBeLessThan(ROUNDS);
    expect(reader.of('snapshot').at(-1)).toMatchObject({ sequence: board.sequence(0), epoch: board.epoch });
    expect(reader.of('summary').length).toBeGreaterThan(1);
    expect(await reader.ask({ type: 'ping' })).toMatchObject({ type: 'pong' });
  });

  test('8.8 who reads nothing for long is cut, and nothing of them stays', async () => {
    reader.pause();
    await flicker(ROUNDS);
    await stand.until('closed', () => stand.socketCount === 0, 20_000);
    reader.resume();
    await stand.until('told', () => reader.closeCode !== null);
    expect(reader.closeCode).toBe(1_006);
  });
});
