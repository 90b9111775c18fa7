import { connect, createServer, type Socket } from 'node:net';

/** A way to a server that can fall silent: connections stay, and nothing comes back on them. */
export interface SilentProxy {
  readonly url: string;
  /** From now on answers of connections that exist are lost; new ones are served. */
  silence(): void;
  close(): void;
}

export async function startSilentProxy(url: string): Promise<SilentProxy> {
  const target = new URL(url);
  const servers = new Map<Socket, Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    servers.set(server, client);
    client.on('error', () => server.destroy());
    server.on('error', () => client.destroy());
    client.pipe(server);
    server.pipe(client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const own = new URL(url);
  own.port = String(address.port);
  return {
    url: own.href,
    silence: () => {
      for (const [server, client] of servers) {
        server.unpipe(client);
        server.resume();
      }
    },
    close: () => {
      for (const [server, client] of servers) {
        server.destroy();
        client.destroy();
      }
      proxy.close();
    },
  };
}
