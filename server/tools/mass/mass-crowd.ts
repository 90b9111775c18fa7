import { MassSocket, type SocketEvents, type SocketTarget } from './mass-socket.ts';

/** Handshakes under way at once: a server's queue of new connections is not what is being measured. */
const OPENING_MAX = 100;

/** Many sockets of one process, by their number. */
export class MassCrowd {
  readonly #sockets: readonly MassSocket[];

  private constructor(sockets: readonly MassSocket[]) {
    this.#sockets = sockets;
  }

  /**
   * Opens `count` sockets, numbered from 0.
   * @param targetOf where each goes, asked for when its turn has come
   * @throws Error if one is refused; the others are closed then
   */
  static async open(
    count: number,
    targetOf: (socket: number) => SocketTarget,
    events: SocketEvents,
  ): Promise<MassCrowd> {
    const sockets: MassSocket[] = [];
    let next = 0;
    const openSome = async (): Promise<void> => {
      while (next < count) {
        const index = next++;
        sockets[index] = await MassSocket.open(index, targetOf(index), events);
      }
    };
    try {
      await Promise.all(Array.from({ length: Math.min(OPENING_MAX, count) }, openSome));
    } catch (cause) {
      next = count;
      for (const socket of Object.values(sockets)) socket.drop();
      throw cause;
    }
    return new MassCrowd(sockets);
  }

  get size(): number {
    return this.#sockets.length;
  }

  /** Sends a frame made by `maskedFrame`; its bytes must stay as they are until an answer has come. */
  send(socket: number, frame: Uint8Array): void {
    this.#sockets[socket]?.send(frame);
  }

  close(): void {
    for (const socket of this.#sockets) socket.close();
  }
}
