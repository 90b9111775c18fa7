import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Packr } from 'msgpackr';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import WebSocket from 'ws';
import { z } from 'zod';
import { prepareShows } from './app-stand-process.ts';
import { ServerProcess } from '../../tools/tasks/server-process.ts';
import { freePort } from '../free-port.ts';

/*
 * A client written from PROTOCOL.md alone: it knows numbers of opcodes, places of fields and routes from that page and
 * shares no code with ours. What it can't do, nobody can from the document.
 */

const [AUTHENTICATE, ENTER, JOIN, LEAVE, WATCH, HOLD, CHECKOUT, ACKNOWLEDGE] = [1, 2, 3, 4, 5, 6, 9, 0x0c];
const [WELCOME, ENTERED, WAITING, ADMITTED, OUTSIDE, SNAPSHOT, DELTA] = [
  0x40, 0x41, 0x43, 0x44, 0x45, 0x46, 0x47,
];
const [HOLD_TOLD, HOLD_ENDED, ORDER, REFUSED, DONE] = [0x49, 0x4a, 0x4b, 0x4d, 0x4e];
const [SEAT_TAKEN, CONFIRMED, RELEASED] = [11, 1, 0];

const packr = new Packr({ useRecords: false, mapsAsObjects: false });
type Frame = readonly unknown[];

const showDetail = z.object({
  opensAt: z.iso.datetime(),
  drawCommitment: z.string(),
  drawSeed: z.string().nullable(),
  priceLevels: z.array(z.object({ amount: z.number() })),
});
const showLayout = z.object({
  layout: z.object({
    sections: z.array(
      z.object({
        blocks: z.array(
          z.object({ priceLevel: z.number(), rows: z.number(), seats: z.tuple([z.number(), z.number()]) }),
        ),
      }),
    ),
  }),
});
const session = z.object({ id: z.string(), bearer: z.string() });

/** One socket and everything it was told. */
class DocumentClient {
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;
  #requests = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => this.frames.push(packr.unpack(data as Buffer) as Frame));
  }

  static async open(port: number, bearer: string): Promise<DocumentClient> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/socket`, 'stampede.v1');
    const client = new DocumentClient(socket);
    await once(socket, 'open');
    expect((await client.ask(AUTHENTICATE, bearer))[0]).toBe(WELCOME);
    return client;
  }

  /** Sends a request and resolves with its answer: the frame that carries its number in the second place. */
  async ask(opcode: number, ...fields: readonly unknown[]): Promise<Frame> {
    const request = (this.#requests += 1);
    this.#socket.send(packr.pack([opcode, request, ...fields]));
    return this.told((frame) => frame[1] === request && ![SNAPSHOT, DELTA].includes(Number(frame[0])));
  }

  say(opcode: number, ...fields: readonly unknown[]): void {
    this.#socket.send(packr.pack([opcode, ...fields]));
  }

  /** Resolves with the latest frame that is as wanted, once there is one. */
  async told(isWanted: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.findLast(isWanted);
      if (found) return found;
      await once(this.#socket, 'message');
    }
  }

  async close(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }
}

const SECTIONS = [40, 40];
const BUYING = 1;
/** Shows that open one after the other, of which a test takes the first whose opening is still ahead enough to join. */
const DRAWN_IN_MS = [4_000, 12_000, 36_000];
const TO_JOIN_MS = 2_000;

let server: ServerProcess;
let port: number;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stampede-document-'));
  await prepareShows(folder, [
    { sectionSeats: SECTIONS },
    ...DRAWN_IN_MS.map((opensAt) => ({
      sectionSeats: SECTIONS,
      sale: { opensAt, admittedMax: 1, admissionBurst: 1 },
    })),
  ]);
  port = await freePort();
  server = new ServerProcess({
    PORT: String(port),
    HOST: '127.0.0.1',
    DATA_DIR: folder,
    DEMO: 'off',
    UNLIMITED_ADDRESSES: '127.0.0.1',
    PAYMENT_SUCCESS_RATE: '1',
    PAYMENT_DELAY_MIN_MS: '20',
    PAYMENT_DELAY_MAX_MS: '50',
  });
  await server.serving();
});
afterAll(async () => {
  await server.kill();
  await rm(folder, { recursive: true });
});

const get = async (path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${port}${path}`)).json();

async function newSession(): Promise<z.infer<typeof session>> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"bearer":true}',
  });
  expect(answer.status).toBe(201);
  return session.parse(await answer.json());
}

describe('a client written from PROTOCOL.md alone', () => {
  /** What each seat costs, by rules 11.4 and 11.5. */
  async function prices(show: number): Promise<readonly number[]> {
    const { priceLevels } = showDetail.parse(await get(`/api/shows/${show}`));
    const { layout } = showLayout.parse(await get(`/api/shows/${show}/layout`));
    return layout.sections.flatMap(({ blocks }) =>
      blocks.flatMap(({ priceLevel, rows, seats: [front, back] }) =>
        Array.from({ length: rows }, (_, row) =>
          Math.round(rows === 1 ? front : front + ((back - front) * row) / (rows - 1)),
        ).flatMap((count) => Array<number>(count).fill(priceLevels[priceLevel]?.amount ?? 0)),
      ),
    );
  }

  test('[P2] 4.1 4.3 6.1 6.6 11.2 11.4 11.5 buys: joins, holds, pays the sum of the prices, and gets a ticket a seat', async () => {
    const { bearer } = await newSession();
    const client = await DocumentClient.open(port, bearer);
    expect((await client.ask(ENTER, BUYING))[0]).toBe(ENTERED);
    await client.ask(JOIN, null);
    await client.told(([opcode]) => opcode === ADMITTED);
    const seats = [3, 45];
    const [opcode, , token, held] = await client.ask(HOLD, seats);
    expect([opcode, held]).toEqual([HOLD_TOLD, seats]);

    const cost = await prices(BUYING);
    const amount = seats.reduce((sum, seat) => sum + (cost[seat] ?? 0), 0);
    const [answer, , order] = await client.ask(CHECKOUT, token, 'from-the-document', amount);
    expect(answer).toBe(ORDER);
    const [id] = order as readonly unknown[];
    const isOutcome = ([kind, , told]: Frame): boolean =>
      kind === ORDER && (told as Frame)[0] === id && (told as Frame)[2] === CONFIRMED;
    const [, , confirmed] = await client.told(isOutcome);
    expect((confirmed as Frame).at(-1)).toHaveLength(seats.length);
    await client.close();
  });

  test('[P5] 5.1 5.3 8.6 13.3 13.5 resumes: goes on from where its seats stood, and gets the whole section after a late acknowledgement', async () => {
    const [watcher, buyer] = [await newSession(), await newSession()];
    const first = await DocumentClient.open(port, watcher.bearer);
    await first.ask(ENTER, BUYING);
    expect((await first.ask(WATCH, [[0, 0, 0]]))[0]).toBe(DONE);
    const [, section, epoch, sequence] = await first.told(([opcode]) => opcode === SNAPSHOT);
    await first.close();

    const other = await DocumentClient.open(port, buyer.bearer);
    await other.ask(ENTER, BUYING);
    await other.ask(JOIN, null);
    await other.told(([opcode]) => opcode === ADMITTED);
    const [, , token] = await other.ask(HOLD, [7]);

    const again = await DocumentClient.open(port, watcher.bearer);
    await again.ask(ENTER, BUYING);
    await again.ask(WATCH, [[section, epoch, sequence]]);
    const [, , reached, changes] = await again.told(([opcode]) => opcode === DELTA);
    expect(reached).toBe(Number(sequence) + 1);
    expect([...(changes as Uint8Array)]).toEqual([(7 << 2) | 1]);
    expect(again.frames.some(([opcode]) => opcode === SNAPSHOT)).toBe(false);

    // Acknowledging an older state twice says that the delta never arrived.
    again.say(ACKNOWLEDGE, [[section, sequence]]);
    await other.ask(HOLD, [8]);
    await again.told((frame) => frame[0] === DELTA && frame[2] === Number(reached) + 1);
    again.say(ACKNOWLEDGE, [[section, reached]]);
    again.say(ACKNOWLEDGE, [[section, sequence]]);
    const [, , , whole] = await again.told(([opcode]) => opcode === SNAPSHOT);
    expect(whole).toBe(Number(reached) + 1);

    // Who leaves gives back what they hold.
    expect((await other.ask(LEAVE))[0]).toBe(OUTSIDE);
    const ended = await other.told(([opcode]) => opcode === HOLD_ENDED);
    expect([ended[2], ended[4]]).toEqual([token, RELEASED]);
    await Promise.all([again.close(), other.close()]);
  });

  test('[P1] 7.11 is told by its number which seat somebody else has', async () => {
    const clients = await Promise.all(
      Array.from({ length: 2 }, async () => {
        const { bearer } = await newSession();
        const client = await DocumentClient.open(port, bearer);
        await client.ask(ENTER, BUYING);
        await client.ask(JOIN, null);
        await client.told(([opcode]) => opcode === ADMITTED);
        return client;
      }),
    );
    const answers = await Promise.all(clients.map((client) => client.ask(HOLD, [20])));
    const refused = answers.find(([opcode]) => opcode === REFUSED);
    expect(answers.some(([opcode]) => opcode === HOLD_TOLD)).toBe(true);
    expect(refused?.slice(2, 4)).toEqual([SEAT_TAKEN, [20]]);
    await Promise.all(clients.map((client) => client.close()));
  });

  test('4.2 12.1 12.2 12.3 verifies the draw: the seed is the promised one, and the order follows from it', async () => {
    const shows = await Promise.all(
      DRAWN_IN_MS.map(async (_, index) => {
        const id = BUYING + 1 + index;
        return { id, ...showDetail.parse(await get(`/api/shows/${id}`)) };
      }),
    );
    const ahead = shows.find(({ opensAt }) => Date.parse(opensAt) > Date.now() + TO_JOIN_MS);
    if (!ahead) throw new Error('every show has opened');
    const { id: show, drawCommitment, drawSeed } = ahead;
    expect(drawSeed).toBeNull();
    const people = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const { id, bearer } = await newSession();
        const client = await DocumentClient.open(port, bearer);
        await client.ask(ENTER, show);
        const [opcode, , position] = await client.ask(JOIN, null);
        expect([opcode, position]).toEqual([WAITING, 0]);
        return { id, client };
      }),
    );
    // After the opening the first is let in, and the others are told which place is theirs.
    const places = await Promise.all(
      people.map(async ({ id, client }) => {
        const [opcode, , position] = await client.told(
          ([kind, , place]) => kind === ADMITTED || (kind === WAITING && Number(place) > 0),
        );
        return { id, place: opcode === ADMITTED ? 0 : Number(position) };
      }),
    );
    const opened = showDetail.parse(await get(`/api/shows/${show}`));
    const seed = Buffer.from(opened.drawSeed ?? '', 'hex');
    expect(createHash('sha256').update(seed).digest('hex')).toBe(drawCommitment);
    const scoreOf = (id: string): string => createHmac('sha256', seed).update(id).digest('hex').slice(0, 13);
    const drawn = places.map(({ id }) => id).toSorted((a, b) => scoreOf(a).localeCompare(scoreOf(b)));
    const told = places.toSorted((a, b) => a.place - b.place).map(({ id }) => id);
    expect(told).toEqual(drawn);
    await Promise.all(people.map(({ client }) => client.close()));
  });
});
