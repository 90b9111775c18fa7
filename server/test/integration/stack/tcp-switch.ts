import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';

/**
 * What nginx does for gateways, without nginx: one address for several, each connection to the next in turn that
 * takes it. A gateway that dies takes its connections with it. It can also fall silent, as networks do.
 */
export class TcpSwitch {
  readonly port: number;
  readonly #server: Server;
  readonly #lines: Lines;

  private constructor(server: Server, port: number, lines: Lines) {
    this.#server = server;
    this.port = port;
    this.#lines = lines;
  }

  /** @param targets ports of loopback, asked anew for each connection */
  static async open(targets: () => readonly number[]): Promise<TcpSwitch> {
    const lines = new Lines();
    let turn = 0;
    const server = createServer({ pauseOnConnect: true }, (client) => {
      const ports = targets();
      turn += 1;
      void lines.lead(client, [...ports.slice(turn % ports.length), ...ports.slice(0, turn % ports.length)]);
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the switch has no port');
    return new TcpSwitch(server, address.port, lines);
  }

  /** From now on nothing gets through either way, though every connection stays open. */
  fallSilent(): void {
    this.#lines.silent = true;
  }

  /** What was held back meanwhile gets through, and all else again. */
  speakAgain(): void {
    this.#lines.silent = false;
  }

  close(): void {
    this.#lines.cut();
    this.#server.close();
  }
}

/** The connections through a switch, each from a client to a target. */
class Lines {
  readonly #sockets = new Set<Socket>();
  readonly #pairs = new Map<Socket, Socket>();
  #silent = false;

  set silent(silent: boolean) {
    if (this.#silent === silent) return;
    this.#silent = silent;
    for (const [client, target] of this.#pairs) {
      if (silent) {
        client.unpipe(target);
        target.unpipe(client);
      } else {
        client.pipe(target).pipe(client);
      }
    }
  }

  async lead(client: Socket, ports: readonly number[]): Promise<void> {
    this.#keep(client);
    for (const port of ports) {
      const target = connect(port, '127.0.0.1');
      const isOpen = await once(target, 'connect').then(
        () => true,
        () => false,
      );
      if (!isOpen) continue;
      this.#keep(target);
      target.on('close', () => client.destroy());
      client.on('close', () => {
        this.#pairs.delete(client);
        target.destroy();
      });
      this.#pairs.set(client, target);
      if (!this.#silent) client.pipe(target).pipe(client);
      return;
    }
    client.destroy();
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
