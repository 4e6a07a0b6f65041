import { connect, type Socket } from 'node:net';

/** A client that sends bytes, well formed or not. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves when the connection is closed, whichever way. */
  readonly closed: Promise<void>;
  #received = '';
  #watchers: (() => void)[] = [];

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => resolve());
    });
    this.socket.setEncoding('latin1').on('data', (text: string) => {
      this.#received += text;
      this.#notify();
    });
    this.socket.on('end', () => this.socket.end()).on('error', () => {});
    void this.closed.then(() => this.#notify());
  }

  get received(): string {
    return this.#received;
  }

  send(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Everything up to the end of the connection. */
  async untilClosed(): Promise<string> {
    await this.closed;
    return this.#received;
  }

  /** Resolves when what was received matches; rejects when the connection closes first. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received)) {
      if (this.socket.destroyed)
        throw new Error(`closed before ${pattern}; received ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => this.#watchers.push(resolve));
    }
    return this.#received;
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #notify(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const watcher of watchers) watcher();
  }
}

/** The status codes of all answers in a piece of traffic. */
export function statuses(received: string): number[] {
  return [...received.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
}
