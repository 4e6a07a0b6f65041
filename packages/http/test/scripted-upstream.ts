import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

/** What a scripted server does with one connection, once the first bytes of a request came. */
export type Script = (socket: Socket) => void;

/** A server that says what it is told to, right or wrong. */
export class ScriptedUpstream {
  readonly port: number;
  /** Connections that were opened to it so far. */
  readonly opened: () => number;
  readonly #server: Server;
  readonly #sockets: ReadonlySet<Socket>;

  private constructor(server: Server, sockets: ReadonlySet<Socket>, opened: () => number) {
    this.#server = server;
    this.#sockets = sockets;
    this.opened = opened;
    const address = server.address();
    this.port = typeof address === 'object' && address ? address.port : 0;
  }

  /** @param script runs for each request; requests are told apart by their blank lines. */
  static async start(script: Script): Promise<ScriptedUpstream> {
    const sockets = new Set<Socket>();
    let opened = 0;
    const server = createServer((socket) => {
      opened++;
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket)).on('error', () => {});
      socket.on('data', (chunk) => {
        if (chunk.includes('\r\n\r\n')) script(socket);
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new ScriptedUpstream(server, sockets, () => opened);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
