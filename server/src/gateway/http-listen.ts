import { createServer } from 'node:net';
import uws, { type TemplatedApp, type us_listen_socket } from 'uWebSockets.js';

/** Where a server listens. */
export interface Listening {
  /** The port in use: the one asked for, or the one found for 0. */
  readonly port: number;
  /** Takes no more connections; those that are open live on. */
  stop(): void;
}

/** The port can't be listened on; the message says which, why, and what to do. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** `LIBUS_LISTEN_EXCLUSIVE_PORT`, whose name in the library's types isn't the one it has at run time. */
const EXCLUSIVE_PORT = 1;

/** The library takes host, port and options together, which its types don't say. */
type ListenExclusively = (
  host: string,
  port: number,
  options: number,
  listening: (socket: us_listen_socket | false) => void,
) => TemplatedApp;

/**
 * Starts listening. Exclusively: by default the library shares a port with any other process of the same user, so
 * that two servers started by mistake would each get half of the buyers. Rejects with `ListenError`, which names the
 * setting of the port.
 */
export async function listen(
  app: TemplatedApp,
  host: string,
  port: number,
  setting = 'PORT',
): Promise<Listening> {
  const listenExclusively = app.listen.bind(app) as unknown as ListenExclusively;
  const socket = await new Promise<us_listen_socket | false>((resolve) => {
    listenExclusively(host, port, EXCLUSIVE_PORT, resolve);
  });
  if (socket === false) throw new ListenError(await listenFailure(host, port, setting));
  let isListening = true;
  return {
    port: uws.us_socket_local_port(socket),
    stop() {
      if (isListening) uws.us_listen_socket_close(socket);
      isListening = false;
    },
  };
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already; stop it or set PORT to another port',
  EACCES: 'this user may not listen there; set PORT to 1024 or more',
  EADDRNOTAVAIL: 'this machine has no such address; correct HOST',
  ENOTFOUND: 'there is no such host; correct HOST',
};

/** The library doesn't say why listening failed, so Node is asked to try the same. */
async function listenFailure(host: string, port: number, setting: string): Promise<string> {
  const code = await new Promise<string>((resolve) => {
    const probe = createServer();
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve('unknown reason')));
  });
  return `Can't listen on ${host} port ${port}: ${(REASONS[code] ?? code).replace('PORT', setting)}.`;
}
