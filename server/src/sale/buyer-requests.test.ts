import { beforeEach, describe, expect, it } from 'vitest';
import { openLiveSale, waitingRoomSettings } from '../../test/integration/app-stand-sale.ts';
import { sessionId } from '../platform/ids.ts';
import { refuse } from '../platform/outcome.ts';
import { PlaceReceipts } from '../waiting-room/place-receipts.ts';
import { BuyerRequests } from './buyer-requests.ts';

const ANN = { session: sessionId('ann'), network: null };
const hold = { type: 'hold', requestId: 1, seats: [3] } as const;
const checkout = { type: 'checkout', requestId: 2, holdToken: 1, idempotencyKey: 'k', amount: 100 } as const;

let house: Awaited<ReturnType<typeof openLiveSale>>;
let counted: unknown[];
let requests: BuyerRequests;
/** What paying comes to. */
let pay: () => Promise<ReturnType<typeof refuse>>;

beforeEach(async () => {
  house = await openLiveSale();
  const { clock, seats, waitingRoom: store } = house;
  counted = [];
  requests = new BuyerRequests({
    waitingRoom: {
      ...{ store, settings: waitingRoomSettings },
      receipts: new PlaceReceipts([Buffer.alloc(32, 7)]),
    },
    seats,
    checkout: { run: () => pay() },
    orders: { run: async () => [] },
    shows: () => [],
    counts: {
      countHold: (...what) => void counted.push(['hold', ...what]),
      countCheckout: (...what) => void counted.push(['checkout', ...what]),
    },
    clock,
  });
});

describe('requests are counted', () => {
  it('by what was done, refused or broken, with the time it took', async () => {
    const { sale, seats, waitingRoom, clock } = house;
    await waitingRoom.join(sale.waitingRules, ANN.session);
    await waitingRoom.admit(sale.waitingRules);
    const take = seats.take.bind(seats);
    seats.take = (rules, steps) => {
      clock.advance(40);
      return take(rules, steps);
    };
    await requests.answer(sale, ANN, hold);
    await requests.answer(sale, { ...ANN, session: sessionId('bob') }, hold);
    pay = async () => refuse('hold-ended');
    await requests.answer(sale, ANN, checkout);
    pay = () => Promise.reject(new Error('Redis is away'));
    await expect(requests.answer(sale, ANN, checkout)).rejects.toThrow('Redis is away');
    requests.countOverhasty('hold');
    expect(counted).toEqual([
      ['hold', 'done', 40],
      ['hold', 'not-admitted', 40],
      ['checkout', 'hold-ended'],
      ['checkout', 'failed'],
      ['hold', 'rate-limited', null],
    ]);
  });

  it('only where they are for seats or payment', async () => {
    const { sale } = house;
    const answer = await requests.answer(sale, ANN, { type: 'join', requestId: 1, receipt: null });
    expect('type' in answer && answer.type).toBe('waiting');
    requests.countOverhasty('join');
    expect(counted).toEqual([]);
  });
});
