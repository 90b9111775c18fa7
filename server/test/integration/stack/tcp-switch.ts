import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * What nginx does for gateways, without nginx: one address for several, each connection to the next in turn that
 * takes it. A gateway that dies takes its connections with it.
 */
export class TcpSwitch {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, port: number, sockets: Set<Socket>) {
    this.#server = server;
    this.port = port;
    this.#sockets = sockets;
  }

  /** @param targets ports of loopback, asked anew for each connection */
  static async open(targets: () => readonly number[]): Promise<TcpSwitch> {
    const sockets = new Set<Socket>();
    let turn = 0;
    const server = createServer({ pauseOnConnect: true }, (client) => {
      const ports = targets();
      turn += 1;
      sockets.add(client);
      void pass(
        client,
        [...ports.slice(turn % ports.length), ...ports.slice(0, turn % ports.length)],
        sockets,
      );
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the switch has no port');
    return new TcpSwitch(server, address.port, sockets);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}

async function pass(client: Socket, ports: readonly number[], sockets: Set<Socket>): Promise<void> {
  client.on('error', () => client.destroy());
  client.on('close', () => sockets.delete(client));
  for (const port of ports) {
    const target = connect(port, '127.0.0.1');
    const isOpen = await once(target, 'connect').then(
      () => true,
      () => false,
    );
    if (!isOpen) continue;
    sockets.add(target);
    target.on('error', () => target.destroy());
    target.on('close', () => {
      sockets.delete(target);
      client.destroy();
    });
    client.on('close', () => target.destroy());
    client.pipe(target).pipe(client);
    client.resume();
    return;
  }
  client.destroy();
}
