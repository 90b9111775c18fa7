import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestProject } from 'vitest/node';
import { startDatabase, startKafka, startMariadb, startRedis } from '../stack/private-servers.ts';
import { startRedisCluster } from '../stack/redis-cluster.ts';
import { LOOPBACK } from '../stack/ports.ts';
import { SHARED_SERVERS, type SharedServerName } from './shared-server-names.ts';

/** What every kind of server here can do. */
interface Removable {
  readonly product: string;
  remove(): Promise<void>;
}

interface Started extends Removable {
  readonly urls: readonly string[];
}

/**
 * The servers that test files share: each is started when the first file asks for it, by the process that outlives
 * them all, and ends with it. So a run that needs none starts none, and no file pays twice.
 */
const STARTERS: Readonly<Record<SharedServerName, () => Promise<Started>>> = {
  redis: async () => one(await startRedis()),
  'redis-cluster': async () => {
    const cluster = await startRedisCluster();
    return { ...cluster, urls: cluster.nodes.map(({ url }) => url) };
  },
  database: async () => one(await startDatabase()),
  mariadb: async () => one(await startMariadb()),
  kafka: async () => one(await startKafka()),
};

const one = (server: Removable & { readonly url: string }): Started => ({
  product: server.product,
  urls: [server.url],
  remove: () => server.remove(),
});

/** vitest calls it once per run. */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const started = new Map<SharedServerName, Promise<Started>>();
  const door = await openDoor((name) => {
    const running = started.get(name) ?? STARTERS[name]();
    started.set(name, running);
    return running;
  });
  project.provide('sharedServers', `http://${LOOPBACK}:${(door.address() as AddressInfo).port}`);
  return async () => {
    door.close();
    door.closeAllConnections();
    const results = await Promise.allSettled(started.values());
    for (const result of results) if (result.status === 'fulfilled') await result.value.remove();
  };
}

function openDoor(provide: (name: SharedServerName) => Promise<Started>): Promise<Server> {
  const server = createServer((request, response) => {
    const name = SHARED_SERVERS.find((known) => request.url === `/${known}`);
    const answer = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    };
    if (name === undefined) {
      answer(404, { message: `There is no shared server at ${request.url}.` });
      return;
    }
    provide(name).then(
      ({ product, urls }) => answer(200, { product, urls }),
      (error: unknown) => answer(500, { message: error instanceof Error ? error.message : String(error) }),
    );
  });
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  server.once('error', reject);
  server.listen(0, LOOPBACK, () => resolve(server));
  return promise;
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Where test files ask for shared servers. */
    sharedServers: string;
  }
}
