import net from 'node:net';
import tls from 'node:tls';
import { type Clock, FlotillaError } from '@flotilla/core';

/** Certificates for a ZooKeeper with a `secureClientPort`. Names and chains are always verified. */
export interface ZooKeeperTls {
  readonly ca?: string | Buffer | undefined;
  readonly cert?: string | Buffer | undefined;
  readonly key?: string | Buffer | undefined;
}

/** One server. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

/** Who hears a connection. `closed` comes once and last. */
export interface ConnectionListener {
  connected(): void;
  frame(bytes: Buffer): void;
  closed(reason: FlotillaError): void;
}

const connectMs = 2_000;
const tcpKeepAliveMs = 10_000;

/** Frames over one socket: a length of four bytes, then as many. */
export class Connection {
  readonly #server: ServerAddress;
  readonly #socket: net.Socket;
  readonly #maxFrameBytes: number;
  readonly #listener: ConnectionListener;
  #received: Buffer[] = [];
  #size = 0;
  #wanted = 4;
  #inBody = false;
  #corked = false;
  #closed = false;

  constructor(
    server: ServerAddress,
    secure: ZooKeeperTls | undefined,
    maxFrameBytes: number,
    clock: Clock,
    listener: ConnectionListener,
  ) {
    this.#server = server;
    this.#listener = listener;
    this.#maxFrameBytes = maxFrameBytes;
    const { host, port } = server;
    this.#socket = secure
      ? tls.connect({ host, port, servername: net.isIP(host) ? '' : host, minVersion: 'TLSv1.2', ...secure })
      : net.connect({ host, port });
    const late = clock.setTimer(connectMs, () => this.#fail('CONNECT_FAILED', `no connection within ${connectMs} ms`), {
      background: true,
    });
    let connected = false;
    this.#socket.once(secure ? 'secureConnect' : 'connect', () => {
      connected = true;
      late.cancel();
      this.#socket.setNoDelay(true).setKeepAlive(true, tcpKeepAliveMs);
      listener.connected();
    });
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', ({ message }) => this.#fail(connected ? 'CONNECTION_LOST' : 'CONNECT_FAILED', message));
    this.#socket.on('close', () => {
      late.cancel();
      this.#fail('CONNECTION_LOST', 'the server closed the connection');
    });
  }

  /** Sends frames; those of one turn of the event loop leave together. */
  send(frame: Buffer): void {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(() => {
        this.#corked = false;
        this.#socket.uncork();
      });
    }
    this.#socket.write(frame);
  }

  /** Sends what was written, then ends. */
  end(): void {
    this.#closed = true;
    this.#socket.end();
    this.#socket.unref();
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#size += chunk.length;
    if (this.#size < this.#wanted) return;
    let bytes = this.#received.length === 1 ? chunk : Buffer.concat(this.#received);
    while (bytes.length >= this.#wanted && !this.#closed) {
      const part = bytes.subarray(0, this.#wanted);
      bytes = bytes.subarray(this.#wanted);
      if (this.#inBody) this.#deliver(part);
      else this.#begin(part.readInt32BE(0));
    }
    this.#received = bytes.length > 0 ? [bytes] : [];
    this.#size = bytes.length;
  }

  #begin(size: number): void {
    if (size < 0 || size > this.#maxFrameBytes) {
      this.#fail('BAD_RESPONSE', `a frame of ${size} bytes is over the limit of ${this.#maxFrameBytes}`);
      return;
    }
    this.#wanted = size;
    this.#inBody = true;
  }

  #deliver(frame: Buffer): void {
    this.#wanted = 4;
    this.#inBody = false;
    try {
      this.#listener.frame(frame);
    } catch (error) {
      this.#fail('BAD_RESPONSE', error instanceof Error ? error.message : String(error));
    }
  }

  #fail(code: 'CONNECT_FAILED' | 'CONNECTION_LOST' | 'BAD_RESPONSE', why: string): void {
    if (this.#closed) return;
    this.close();
    const { host, port } = this.#server;
    const attempted = code === 'CONNECT_FAILED' ? 'no connection to' : 'lost the connection to';
    this.#listener.closed(new FlotillaError(code, `${attempted} ZooKeeper at ${host}:${port}: ${why}`));
  }
}
