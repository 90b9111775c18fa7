import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { faultsOf, soldSeatsOf } from '../../integration/stack/books.ts';
import { Fleet, type FleetNode, until } from '../../integration/stack/fleet.ts';
import { freshSharedParts, type SharedParts } from '../../integration/stack/shared-parts.ts';
import { TcpSwitch } from '../../integration/stack/tcp-switch.ts';
import { newBearer, Shopper, type ShopperShow } from '../../../tools/shopper/shopper.ts';
import { visitedShow } from '../../integration/app-stand-show.ts';

const SECTION_SEATS = [40, 40];
const show = (id: number): ShopperShow => visitedShow(id, SECTION_SEATS);
const [QUEUEING, PAYING] = [show(1), show(2)] as const;

/** Few may shop at once, so that the others keep their places in the queue. */
const ADMITTED_MAX = 4;
const QUEUED = 8;
const PAYING_BUYERS = 10;

let parts: SharedParts;
let fleet: Fleet;
let gateways: readonly [FleetNode, FleetNode];
let worker: FleetNode;
let door: TcpSwitch;

beforeAll(async () => {
  parts = await freshSharedParts();
  fleet = await Fleet.prepare(
    parts,
    [{ sectionSeats: SECTION_SEATS, sale: { admittedMax: ADMITTED_MAX } }, { sectionSeats: SECTION_SEATS }],
    // Long enough for somebody to be killed meanwhile.
    { PAYMENT_DELAY_MIN_MS: '500', PAYMENT_DELAY_MAX_MS: '1500' },
  );
  worker = await fleet.start('worker,scheduler');
  gateways = await Promise.all([fleet.start('gateway,scheduler'), fleet.start('gateway,scheduler')]);
  door = await TcpSwitch.open(() => gateways.map(({ port }) => port));
});
afterAll(async () => {
  door.close();
  await fleet.end();
  await parts.drop();
});

describe('a node that is killed -9', () => {
  test('[P4] a gateway: its buyers go on at the other with place, hold and order', async ({ annotate }) => {
    const buyers: Shopper[] = [];
    // One after the other, so that who is in front of whom is known.
    for (let index = 0; index < ADMITTED_MAX + QUEUED; index++) {
      const bearer = await newBearer(gateways[index % 2]!.port);
      const buyer = await Shopper.arrive(door.port, QUEUEING, bearer);
      await buyer.client.join();
      buyers.push(buyer);
    }
    const shopping = buyers.slice(0, ADMITTED_MAX);
    const queued = buyers.slice(ADMITTED_MAX);
    await until('the first are in', () => shopping.every((buyer) => buyer.isAdmitted));
    const holds = await Promise.all(
      shopping.map((buyer, index) => buyer.holds([index * 10, index * 10 + 1])),
    );
    await until('everybody has a position', () => queued.every(({ positions }) => positions.length > 0));
    // Two pay when it happens, one on each gateway: connections take turns.
    const orders = await Promise.all(
      shopping.slice(0, 2).map((buyer, index) => buyer.pays(`purchase-${index}`)),
    );

    await gateways[0].kill();
    const since = performance.now();
    const cutOff = (): readonly Shopper[] => buyers.filter(({ losses }) => losses > 0);
    await until('those who were there lose it', () => cutOff().length === buyers.length / 2);
    await until('they are back', () => cutOff().every(({ view }) => view.connection.state === 'open'));
    const back = performance.now() - since;
    await annotate(`${parts.products}: buyers of a killed gateway were back after ${back.toFixed(0)} ms`);

    for (const [index, buyer] of shopping.entries()) {
      if (index < 2) continue;
      await until('the show is entered again', async () => (await buyer.client.join()).ok);
      expect(buyer.isAdmitted).toBe(true);
      const { holdToken, seats, expiresAt } = holds[index]!;
      expect(buyer.hold).toMatchObject({ holdToken, seats, expiresAt });
    }
    for (const [index, order] of orders.entries()) {
      await until('the ticket', () => shopping[index]!.order(order.id)?.tickets.length === 2);
    }
    // Who has paid makes room for the next in line, and nobody was overtaken.
    await until('two more are in', () => queued.slice(0, 2).every((buyer) => buyer.isAdmitted));
    for (const { positions } of queued) expect(positions).toEqual(positions.toSorted((a, b) => b - a));
    const waiting = queued.slice(2).map(({ view }) => view.standing);
    expect(waiting).toEqual(waiting.map((standing) => ({ ...standing, state: 'waiting' })));
    expect(
      faultsOf(
        await fleet.books(),
        orders.map(({ id }) => id),
      ),
    ).toEqual([]);
    for (const { client } of buyers) client.stop();
    gateways = [gateways[1], await fleet.start('gateway,scheduler')];
  });

  test('[P1] [P2] a worker, mid-payment: another one ends every accepted order, once', async ({
    annotate,
  }) => {
    const buyers = await Promise.all(
      Array.from({ length: PAYING_BUYERS }, () => Shopper.arrive(door.port, PAYING)),
    );
    await Promise.all(buyers.map((buyer) => buyer.admitted()));
    await Promise.all(buyers.map((buyer, index) => buyer.holds([index * 3, index * 3 + 1])));
    const orders = await Promise.all(buyers.map((buyer, index) => buyer.pays(`payment-${index}`)));
    const next = fleet.launch('worker,scheduler');
    await worker.kill();
    // Seats on their way to being sold are nobody else's meanwhile.
    const rival = await Shopper.arrive(door.port, PAYING);
    await rival.admitted();
    expect(await rival.client.hold([0])).toMatchObject({ ok: false, code: 'seat-taken' });

    worker = await (await next).ready();
    const took = await until('every outcome is told', () =>
      buyers.every((buyer, index) => buyer.order(orders[index]!.id)?.status === 'confirmed'),
    );
    await annotate(`orders of a killed worker were settled ${took.toFixed(0)} ms after the next was ready`);
    const books = await fleet.books();
    expect(
      faultsOf(
        books,
        orders.map(({ id }) => id),
      ),
    ).toEqual([]);
    const expected = buyers.flatMap((_, index) => [index * 3, index * 3 + 1]);
    expect(soldSeatsOf(books, PAYING.id)).toEqual(expected);
    await until('SOLD on every screen', () => rival.soldSeats().join() === expected.join());
    for (const { client } of [...buyers, rival]) client.stop();
  });
});
