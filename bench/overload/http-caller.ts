import { connect, type Socket } from 'node:net';
import { AnswerReader } from '../registry/answer-reader.ts';
import { type Caller, deadlineMs, type Outcome } from './caller.ts';

/**
 * Asks over HTTP/1.1 on raw sockets, one request at a time on each: a client library would need more of a core than the
 * server that is measured. A connection whose answer is late is closed, as callers do; a new one is opened when none is free.
 */
export class HttpCaller implements Caller {
  readonly #port: number;
  readonly #free: Connection[] = [];

  private constructor(port: number) {
    this.#port = port;
  }

  /**
   * @param connections that it has asked on before: Node takes one new connection in each turn of its event loop, so that
   * opening them would be what is measured
   */
  static async open(port: number, connections: number): Promise<HttpCaller> {
    const caller = new HttpCaller(port);
    for (let count = 0; count < connections; count++) await caller.#connect().ask(3);
    return caller;
  }

  ask(urgency: number): Promise<Outcome> {
    return (this.#free.pop() ?? this.#connect()).ask(urgency);
  }

  async close(): Promise<void> {
    for (const connection of this.#free.splice(0)) connection.close();
  }

  #connect(): Connection {
    return new Connection(this.#port, (connection) => this.#free.push(connection));
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #reader = new AnswerReader();
  #done: ((outcome: Outcome) => void) | undefined;

  constructor(port: number, freed: (connection: Connection) => void) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('error', () => {}); // `close` follows
    this.#socket.on('close', () => this.#end('failed'));
    this.#socket.on('data', (chunk: Buffer) => {
      const status = this.#reader.take(chunk);
      if (status === undefined) return;
      if (this.#reader.closes) this.close();
      else freed(this);
      this.#end(status === 200 ? 'good' : status === 503 ? 'refused' : 'failed');
    });
  }

  ask(urgency: number): Promise<Outcome> {
    if (this.#socket.destroyed) return Promise.resolve('failed');
    return new Promise((resolve) => {
      const late = setTimeout(() => this.close(), deadlineMs);
      this.#done = (outcome) => {
        clearTimeout(late);
        resolve(outcome);
      };
      this.#socket.write(requests[urgency] ?? '');
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #end(outcome: Outcome): void {
    const done = this.#done;
    this.#done = undefined;
    done?.(outcome);
  }
}

const requests = Array.from({ length: 8 }, (_, urgency) =>
  Buffer.from(
    `GET /work HTTP/1.1\r\nhost: 127.0.0.1\r\npriority: u=${urgency}\r\nflotilla-timeout-ms: ${deadlineMs}\r\n\r\n`,
  ),
);
