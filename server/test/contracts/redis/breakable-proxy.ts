import { connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be cut while a request is on it. */
export interface BreakableProxy {
  readonly url: string;
  /** Lets the next bytes through to the server, and cuts the client off before the answer. */
  cutAfterNextRequest(): void;
  close(): void;
}

export async function startProxy(url: string): Promise<BreakableProxy> {
  const target = new URL(url);
  let isArmed = false;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    server.pipe(client);
    client.on('data', (bytes) => {
      server.write(bytes);
      if (!isArmed) return;
      isArmed = false;
      // The way to the server stays open: it must not notice, and does what it was asked.
      server.unpipe(client);
      server.resume();
      client.destroy();
    });
    client.on('end', () => server.end());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const address = proxy.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const own = new URL(url);
  own.port = String(address.port);
  return {
    url: own.href,
    cutAfterNextRequest: () => {
      isArmed = true;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
