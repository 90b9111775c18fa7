import { Redis } from 'ioredis';
import type { NativeServer, ServerRecipe } from './native-server.ts';
import { LOOPBACK } from './ports.ts';
import { newPrivateServer } from './private-servers.ts';
import { pingRedis, redisRecipe } from './redis-server.ts';
import { waitUntil } from './wait-until.ts';
import { type Report, TaskError } from '../tasks/task.ts';

const NODES = 3;
const SLOTS = 16_384;
/** A node silent for this long counts as failed: soon enough for a test to see it. */
const NODE_TIMEOUT_MS = 2_000;
const FORMED_WITHIN_MS = 20_000;

export interface RedisCluster {
  /** Each a `NativeServer` of its own, to be killed, paused and started again. */
  readonly nodes: readonly NativeServer[];
  /** What `new Cluster(…)` of ioredis takes. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  readonly product: string;
  /** Ends every node and deletes their data. */
  remove(): Promise<void>;
}

/**
 * A Redis Cluster of three masters without replicas on loopback, formed and serving every slot. It ends with the
 * process that started it.
 * @throws TaskError if it can't be provided or doesn't form in time
 */
export async function startRedisCluster(report: Report = () => undefined): Promise<RedisCluster> {
  const recipe = await clusterNodeRecipe(report);
  const nodes: NativeServer[] = [];
  const remove = async (): Promise<void> => {
    for (const node of nodes) await node.remove();
  };
  try {
    // One after the other, so that they don't reach for the same port.
    for (let index = 0; index < NODES; index++) {
      const node = newPrivateServer(recipe);
      nodes.push(node);
      await node.start(report);
    }
    await formCluster(nodes);
  } catch (cause) {
    await remove();
    throw cause;
  }
  const addresses = nodes.map(({ ports }) => ({ host: LOOPBACK, port: ports[0] ?? 0 }));
  return { nodes, addresses, product: `${recipe.product} Cluster`, remove };
}

async function clusterNodeRecipe(report: Report): Promise<ServerRecipe> {
  const recipe = await redisRecipe(report, ({ ports }) => [
    'cluster-enabled yes',
    `cluster-port ${ports[1]}`,
    `cluster-node-timeout ${NODE_TIMEOUT_MS}`,
  ]);
  // A cluster's nodes and its clients follow redirections to one another; a password adds nothing on loopback.
  return {
    ...recipe,
    name: 'redis-node',
    portCount: 2,
    url: ({ ports }) => `redis://${LOOPBACK}:${ports[0]}`,
    ping: (place, pid) => pingRedis({ ...place, password: '' }, pid),
  };
}

async function formCluster(nodes: readonly NativeServer[]): Promise<void> {
  const clients = nodes.map((node) => new Redis(node.url, { maxRetriesPerRequest: 0 }));
  try {
    const [first, ...others] = clients;
    const share = Math.ceil(SLOTS / clients.length);
    for (const [index, client] of clients.entries()) {
      const last = Math.min((index + 1) * share, SLOTS) - 1;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last);
      // Distinct from the start, or two nodes would have to settle whose slots count.
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    }
    for (const index of others.keys()) {
      const [port = 0, busPort = 0] = nodes[index + 1]?.ports ?? [];
      await first?.call('CLUSTER', 'MEET', LOOPBACK, port, busPort);
    }
    const isFormed = async (): Promise<boolean> => {
      const infos = await Promise.all(clients.map((client) => client.cluster('INFO')));
      return infos.every(
        (info) => info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${NODES}`),
      );
    };
    if (!(await waitUntil(isFormed, FORMED_WITHIN_MS))) {
      throw new TaskError(`redis-cluster: not formed within ${FORMED_WITHIN_MS / 1000} s.`);
    }
  } finally {
    for (const client of clients) client.disconnect();
  }
}
