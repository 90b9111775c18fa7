import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../checks/child-process.ts';
import { mainFileOf, nginxFilesOf } from './nginx-config.ts';
import type { NativeServer, ServerPlace, ServerRecipe } from '../stack/native-server.ts';
import { LOOPBACK } from '../stack/ports.ts';
import { newPrivateServer } from '../stack/private-servers.ts';
import { provideProgram, versionOf } from '../stack/programs.ts';
import { type Report, TaskError } from '../tasks/task.ts';

/** The files that production runs on. */
const PRODUCTION = join(ROOT, 'deploy', 'nginx');
const READY_WITHIN_MS = 10_000;
const STOP_WITHIN_MS = 10_000;
const PING_WITHIN_MS = 2_000;

export interface NginxOptions {
  /** Ports of the gateways, on loopback. They needn't serve yet. */
  readonly gateways: readonly number[];
  /** Absent: any free one, which `ports` tells. */
  readonly port?: number;
  readonly report?: Report;
  /** A folder with `fullchain.pem` and `privkey.pem`: TLS on the second of `ports`, which is the way in then. */
  readonly tls?: string;
  /** A network that is believed about who a buyer is, as a load balancer in front would be. */
  readonly believes?: string;
}

/**
 * The nginx of Debian or of this machine in front of gateways, with the production configuration. Ends with this
 * process at the latest; `remove` ends it and deletes its folder.
 * @throws TaskError if there is none and none can be installed, if it doesn't come up, or if the port is taken
 */
export async function startNginx(options: NginxOptions): Promise<NativeServer> {
  const { port } = options;
  const tell = options.report ?? ((): void => undefined);
  const server = newPrivateServer(await nginxRecipe(options, tell), port);
  await server.start(tell);
  if (port === undefined || server.ports[0] === port) return server;
  await server.remove();
  throw new TaskError(`nginx: port ${port} is taken. Choose another with PORT.`);
}

async function nginxRecipe({ gateways, tls, believes }: NginxOptions, report: Report): Promise<ServerRecipe> {
  const more =
    believes === undefined
      ? {}
      : { 'proxies.conf': `${believes} 1;\n`, 'real-ip.conf': `set_real_ip_from ${believes};\n` };
  const command = await provideProgram('nginx', 'nginx', report);
  const version = await versionOf(/nginx\/([\d.]+)/, command, ['-v']);
  return {
    name: 'nginx',
    product: `nginx ${version}`,
    portCount: tls === undefined ? 1 : 2,
    readyWithinMs: READY_WITHIN_MS,
    stopWithinMs: STOP_WITHIN_MS,
    async prepare({ folder, ports }) {
      const [port = 0, tlsPort = null] = ports;
      const place = { folder, port, tlsPort, gateways: gateways.map((one) => `${LOOPBACK}:${one}`) };
      const read = (name: string): string => readFileSync(join(PRODUCTION, name), 'utf8');
      for (const [name, text] of nginxFilesOf(read, place, more)) writeFileSync(join(folder, name), text);
      if (tls !== undefined) cpSync(tls, join(folder, 'tls'), { recursive: true });
      const config = join(folder, mainFileOf(place));
      const globals = `daemon off; pid ${folder}/nginx.pid;`;
      return { command, args: ['-p', folder, '-c', config, '-e', 'stderr', '-g', globals] };
    },
    url: ({ ports }) =>
      ports[1] === undefined ? `http://${LOOPBACK}:${ports[0]}` : `https://${LOOPBACK}:${ports[1]}`,
    ping: pingNginx,
  };
}

/** Asks for something that nginx answers itself, because the gateways may not be there yet. */
async function pingNginx({ ports }: ServerPlace): Promise<void> {
  const signal = AbortSignal.timeout(PING_WITHIN_MS);
  const response = await fetch(`http://${LOOPBACK}:${ports[0]}/metrics`, { signal, redirect: 'manual' });
  await response.arrayBuffer();
  if (response.headers.get('server') !== 'nginx') throw new Error('another server answers at this port');
}
