import { setTimeout as sleep } from 'node:timers/promises';
import type { ShowDetail, ShowList } from '@stampede/shared/protocol/http.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SqlCatalogStore } from '../../../src/catalog/sql-catalog-store.ts';
import type { Database } from '../../../src/platform/database.ts';
import { showId } from '../../../src/platform/ids.ts';
import { openAt } from '../../contracts/mysql/sql-server-stand.ts';
import { Fleet, type FleetNode } from './fleet.ts';
import { freshSharedParts, type SharedParts } from './shared-parts.ts';

const READS = 10_000;
const READERS = 20;
const EDITS = 4;
const SHOWS = 5;
/** What is promised; a machine that is busy with other things is given as much again. */
const SEEN_WITHIN_MS = 2 * 2_000;
const EDITED = showId(1);

let parts: SharedParts;
let fleet: Fleet;
let nodes: readonly [FleetNode, FleetNode];
let database: Database;

beforeAll(async () => {
  parts = await freshSharedParts();
  fleet = await Fleet.prepare(
    parts,
    Array.from({ length: SHOWS }, () => ({})),
  );
  const roles = 'gateway,worker,scheduler';
  nodes = [await fleet.start(roles), await fleet.start(roles)];
  database = await openAt(parts.databaseUrl);
});
afterAll(async () => {
  await database.close();
  await fleet.end();
  await parts.drop();
});

async function get(node: FleetNode, path: string): Promise<Response> {
  const answer = await fetch(`http://127.0.0.1:${node.port}${path}`);
  expect(answer.status).toBe(200);
  return answer;
}

/** Of both nodes, since they started. */
async function readsOf(layer: string): Promise<number> {
  const texts = await Promise.all(nodes.map(async (node) => (await get(node, '/metrics')).text()));
  const line = new RegExp(`^stampede_catalog_reads_total\\{layer="${layer}"\\} (\\d+)$`, 'm');
  return texts.reduce((sum, text) => sum + Number(line.exec(text)?.[1] ?? Number.NaN), 0);
}

/** Resolves with the milliseconds until list and detail of a node tell the title. */
async function seen(node: FleetNode, title: string): Promise<number> {
  const since = performance.now();
  for (;;) {
    const list = (await (await get(node, '/api/shows')).json()) as ShowList;
    const detail = (await (await get(node, `/api/shows/${EDITED}`)).json()) as ShowDetail;
    if (detail.title === title && list.some((show) => show.title === title)) return performance.now() - since;
    await sleep(50);
  }
}

test('10,000 reads of list and detail while shows are edited read the database a tenth as often at most', async ({
  annotate,
}) => {
  const before = await readsOf('database');
  let reads = 0;
  const read = async (): Promise<void> => {
    for (let index = reads++; index < READS; index = reads++) {
      const path = index % 3 === 0 ? '/api/shows' : `/api/shows/${1 + (index % SHOWS)}`;
      await (await get(nodes[index % 2 === 0 ? 0 : 1], path)).arrayBuffer();
    }
  };
  const readers = Promise.all(Array.from({ length: READERS }, read));

  const store = new SqlCatalogStore(database);
  const lags: number[] = [];
  for (let edit = 1; edit <= EDITS; edit++) {
    const title = `Edited ${edit} times`;
    expect(await store.edit(EDITED, edit, { title })).toMatchObject({ ok: true });
    lags.push(...(await Promise.all(nodes.map((node) => seen(node, title)))));
  }
  await readers;

  const asked = (await readsOf('database')) - before;
  const slowest = Math.max(...lags);
  await annotate(
    `${READS} reads on two nodes and ${EDITS} edits: the database was asked ${asked} times, of which an edit was ` +
      `seen after ${slowest.toFixed(0)} ms at most`,
  );
  expect(asked).toBeGreaterThan(0);
  expect(1 - asked / READS).toBeGreaterThanOrEqual(0.9);
  expect(slowest).toBeLessThan(SEEN_WITHIN_MS);
});
