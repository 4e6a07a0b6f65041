import { createServer, type Server, type Socket } from 'node:net';
import { type Clock, FlotillaError, formatHostPort, type Logger, type Timer } from '@flotilla/core';
import type { Bind, HttpListener } from '../../network.ts';
import type { ListenerLimits } from './options.ts';
import { plainAddress } from './plain-address.ts';
import { farewell, refusal } from './refusal.ts';
import { certificateProblem, Handshakes, looksLikeTls } from './tls/handshakes.ts';
import type { TlsFiles } from './tls/tls-files.ts';
import type { Tongue, TongueConnection } from './tongue.ts';

/** What a {@link SocketListener} needs. */
export interface SocketListenerOptions {
  /** Asked in this order. */
  readonly tongues: readonly Tongue[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ListenerLimits;
  /** Every connection begins with a handshake. Absent: none does. */
  readonly tls?: TlsFiles | undefined;
}

/**
 * A connection, seen by the listener.
 *
 * | phase | permits | exits |
 * |---|---|---|
 * | `unknown`: its first bytes are looked at, with TLS twice: of the handshake, and in it | waiting `headTimeoutMs` for them | `spoken`, `leaving` |
 * | `spoken`: a tongue has it | whatever the tongue does | closed |
 * | `leaving`: told why, half-closed | throwing away input for `lingerMs` | closed |
 */
interface Connection {
  /** As it was accepted. */
  readonly raw: Socket;
  /** That, or what encrypts it, from the end of the handshake on. */
  socket: Socket;
  /** Why nothing is served to it, whatever it asks. */
  unwanted: string | undefined;
  readonly address: string;
  readonly openedAt: number;
  /** False for one over the caps: it only hears why. */
  readonly admitted: boolean;
  spoken: TongueConnection | undefined;
  leavingAt: number | undefined;
}

/** Connections over the caps that hear why at one time; further ones are closed without a word. */
const refusedAtOnce = 256;

/** A drain closes so many connections, then reads what came meanwhile. */
const closedAtOnce = 8;

/** A drain looks at all connections no more often than this. */
const leastDrainPauseMs = 20;

/**
 * Owns one listening socket and all its connections: who may connect, how long the first byte may take, which tongue
 * a connection gets, when all of it ends. Time is one timer for all connections, armed only while there are any.
 */
export class SocketListener implements HttpListener {
  readonly #server: Server;
  readonly #options: SocketListenerOptions;
  readonly #handshakes: Handshakes | undefined;
  readonly #connections = new Map<Socket, Connection>();
  readonly #perAddress = new Map<string, number>();
  #address: { host: string; port: number } = { host: '', port: 0 };
  #sweeper: Timer | undefined;
  #drainer: Timer | undefined;
  #drained: PromiseWithResolvers<void> | undefined;
  #serverClosed = false;
  #full = false;
  #refused = 0;

  private constructor(options: SocketListenerOptions) {
    this.#options = options;
    const { tls, limits, logger } = options;
    this.#handshakes =
      tls &&
      new Handshakes({
        tls,
        timeoutMs: limits.headTimeoutMs,
        failed: (cause, address) => logger.debug('TLS handshake failed', { reason: cause.message, address }),
      });
    // Half-open: a client that ends its side still reads what it was answered by then.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  /** @throws FlotillaError ADDRESS_IN_USE, or START_FAILED for any other reason not to listen */
  static async open(bind: Bind, options: SocketListenerOptions): Promise<SocketListener> {
    const listener = new SocketListener(options);
    await listener.#listen(bind);
    return listener;
  }

  get host(): string {
    return this.#address.host;
  }

  get port(): number {
    return this.#address.port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  get inFlight(): number {
    let sum = 0;
    for (const { spoken } of this.#connections.values()) sum += spoken?.inFlight ?? 0;
    return sum;
  }

  drain(deadlineMs: number): Promise<void> {
    if (this.#drained) return this.#drained.promise;
    const drained = Promise.withResolvers<void>();
    this.#drained = drained;
    this.#server.close(() => {
      this.#serverClosed = true;
      this.#endIfEmpty();
    });
    const timer = this.#options.clock.setTimer(deadlineMs, () => this.#breakAll(deadlineMs));
    void drained.promise.then(() => timer.cancel());
    const now = this.#options.clock.now();
    for (const { spoken } of this.#connections.values()) spoken?.drain(now, false);
    this.#closeQuiet();
    return drained.promise;
  }

  #listen(bind: Bind): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const failed = (cause: NodeJS.ErrnoException): void => reject(listenError(bind, cause));
    this.#server.once('error', failed);
    this.#server.listen(bind, () => {
      this.#server.off('error', failed);
      this.#server.on('error', (cause) =>
        this.#options.logger.error('listening socket failed', { cause, ...this.#address }),
      );
      this.#address = boundAddress(this.#server);
      resolve();
    });
    return promise;
  }

  #accept(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress);
    const refused = this.#refusalFor(address);
    if (refused && this.#refused >= refusedAtOnce) {
      socket.destroy();
      return;
    }
    socket.on('error', nothing); // a reset is not news: `close` follows
    const connection = this.#remember(socket, address, refused === undefined);
    socket.once('close', () => this.#forget(connection));
    this.#sweeper ??= this.#armSweeper();
    if (refused) this.#leave(connection, refused);
    else if (this.#handshakes) this.#listenForHandshake(connection, this.#handshakes);
    else this.#listenForFirstBytes(connection);
  }

  #refusalFor(address: string): FlotillaError | undefined {
    const { limits, logger } = this.#options;
    const open = this.#connections.size - this.#refused;
    const full = open >= limits.maxConnections;
    if (full && !this.#full) logger.warn('listener is full; refusing connections', { ...this.#address, open });
    this.#full = full;
    if (full) return new FlotillaError('UNAVAILABLE', 'too many connections');
    if ((this.#perAddress.get(address) ?? 0) < limits.maxConnectionsPerAddress) return undefined;
    return new FlotillaError('UNAVAILABLE', 'too many connections from this address');
  }

  #remember(socket: Socket, address: string, admitted: boolean): Connection {
    const openedAt = this.#options.clock.now();
    const connection: Connection = {
      raw: socket,
      socket,
      unwanted: undefined,
      address,
      openedAt,
      admitted,
      spoken: undefined,
      leavingAt: undefined,
    };
    this.#connections.set(socket, connection);
    if (admitted) this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    else this.#refused++;
    return connection;
  }

  #listenForHandshake(connection: Connection, handshakes: Handshakes): void {
    const { raw } = connection;
    const onEnd = (): void => {
      raw.destroy();
    };
    raw.once('end', onEnd).once('data', (seen: Buffer) => {
      raw.off('end', onEnd);
      if (!looksLikeTls(seen)) {
        const detail = 'this port speaks TLS: ask for https:// instead of http://';
        this.#leave(connection, new FlotillaError('MALFORMED_REQUEST', detail));
        return;
      }
      raw.pause();
      raw.unshift(seen);
      handshakes.begin(raw, (secure) => {
        connection.socket = secure;
        connection.unwanted = this.#options.tls && certificateProblem(secure, this.#options.tls);
        secure.on('error', nothing);
        this.#listenForFirstBytes(connection);
      });
    });
  }

  #listenForFirstBytes(connection: Connection): void {
    const { socket } = connection;
    let seen: Buffer<ArrayBufferLike> = Buffer.alloc(0);
    const onEnd = (): void => {
      socket.destroy();
    };
    const onData = (chunk: Buffer): void => {
      seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
      const tongue = this.#tongueOf(seen);
      if (tongue === 'more') return;
      socket.off('data', onData).off('end', onEnd);
      if (connection.unwanted !== undefined)
        this.#leave(connection, new FlotillaError('UNAUTHENTICATED', connection.unwanted));
      else if (tongue) this.#handOver(connection, tongue, seen);
      else this.#leave(connection, new FlotillaError('MALFORMED_REQUEST', unknownProtocol(seen)));
    };
    socket.on('data', onData).on('end', onEnd);
  }

  /** Paused, so that the bytes come out again only when the tongue listens. */
  #handOver(connection: Connection, tongue: Tongue, seen: Buffer): void {
    const { socket, openedAt } = connection;
    socket.pause();
    socket.unshift(seen);
    connection.spoken = tongue.accept(socket, openedAt);
    if (this.#drained) connection.spoken.drain(this.#options.clock.now(), false);
    socket.resume();
  }

  #tongueOf(bytes: Uint8Array): Tongue | 'more' | undefined {
    let undecided = false;
    for (const tongue of this.#options.tongues) {
      const verdict = tongue.detect(bytes);
      if (verdict === 'yes') return tongue;
      if (verdict === 'more') undecided = true;
    }
    return undecided ? 'more' : undefined;
  }

  #leave(connection: Connection, error: FlotillaError): void {
    const { clock, logger } = this.#options;
    logger.debug('connection refused', { code: error.code, detail: error.detail, address: connection.address });
    connection.leavingAt = clock.now();
    // In the middle of a handshake words would be noise.
    const midway =
      this.#handshakes !== undefined && connection.socket === connection.raw && error.code !== 'MALFORMED_REQUEST';
    if (midway) connection.raw.destroy();
    else farewell(connection.socket, refusal(error));
  }

  #forget({ raw, address, admitted }: Connection): void {
    this.#connections.delete(raw);
    if (admitted) this.#leaveAddress(address);
    else this.#refused--;
    this.#endIfEmpty();
  }

  #leaveAddress(address: string): void {
    const rest = (this.#perAddress.get(address) ?? 1) - 1;
    if (rest > 0) this.#perAddress.set(address, rest);
    else this.#perAddress.delete(address);
  }

  #endIfEmpty(): void {
    if (this.#connections.size > 0) return;
    this.#sweeper?.cancel();
    this.#sweeper = undefined;
    this.#drainer?.cancel();
    if (this.#serverClosed) this.#drained?.resolve();
  }

  #armSweeper(): Timer {
    const { clock, limits } = this.#options;
    return clock.setTimer(limits.sweepMs, () => {
      this.#sweeper = this.#armSweeper();
      afterReading(() => {
        const now = clock.now();
        for (const connection of [...this.#connections.values()]) this.#sweep(connection, now);
      });
    });
  }

  #sweep(connection: Connection, now: number): void {
    const { headTimeoutMs, lingerMs } = this.#options.limits;
    if (connection.spoken) connection.spoken.sweep(now);
    else if (connection.leavingAt !== undefined) {
      if (now - connection.leavingAt >= lingerMs) connection.socket.destroy();
    } else if (now - connection.openedAt >= headTimeoutMs) {
      this.#leave(connection, new FlotillaError('REQUEST_TIMEOUT', `no request within ${headTimeoutMs} ms`));
    }
  }

  /**
   * Again and again, because a connection becomes quiet when it does. Who looks must not be blind to a request that the
   * kernel holds already: it was sent before we said anything, and closing would reset it. So every look follows a turn
   * of the loop in which everything that had come was read, and closes only a few.
   */
  #closeQuiet(): void {
    const { clock, limits } = this.#options;
    const connections = this.#connections.values();
    const look = (): void => {
      const now = clock.now();
      for (let closed = 0; closed < closedAtOnce; ) {
        const { value: connection, done } = connections.next();
        if (done) {
          const againMs = Math.max(limits.drainQuietMs, leastDrainPauseMs);
          if (this.#connections.size > 0) this.#drainer = clock.setTimer(againMs, () => this.#closeQuiet());
          return;
        }
        drainConnection(connection, now, limits.drainQuietMs);
        if (connection.socket.destroyed) closed++;
      }
      setImmediate(look);
    };
    afterReading(look);
  }

  #breakAll(deadlineMs: number): void {
    const why = `the listener on ${formatHostPort(this.#address)} closed: its drain deadline of ${deadlineMs} ms is over`;
    const reason = new FlotillaError('UNAVAILABLE', why);
    for (const { spoken, socket } of [...this.#connections.values()]) {
      spoken?.destroy(reason);
      socket.destroy();
    }
  }
}

/** Runs after a turn of the loop that read all that had come: the first `setImmediate` may come before its reading. */
function afterReading(run: () => void): void {
  setImmediate(() => setImmediate(run));
}

function drainConnection({ spoken, socket, openedAt }: Connection, now: number, quietMs: number): void {
  if (spoken) spoken.drain(now, true);
  else if (now - openedAt >= quietMs) socket.destroy();
}

function listenError(bind: Bind, cause: NodeJS.ErrnoException): FlotillaError {
  const where = 'fd' in bind ? `the socket handed over as descriptor ${bind.fd}` : formatHostPort(bind);
  if (cause.code === 'EADDRINUSE') {
    const detail = `${where} is taken: stop what listens there, or take another port (0 takes a free one)`;
    return new FlotillaError('ADDRESS_IN_USE', detail, { cause });
  }
  return new FlotillaError('START_FAILED', `cannot listen on ${where}: ${cause.code ?? cause.message}`, { cause });
}

function boundAddress(server: Server): { host: string; port: number } {
  const address = server.address();
  if (address === null || typeof address === 'string') return { host: address ?? '', port: 0 };
  return { host: address.address, port: address.port };
}

function unknownProtocol(seen: Uint8Array): string {
  return looksLikeTls(seen)
    ? 'this port speaks no TLS: ask for http:// instead of https://'
    : 'no protocol that is spoken here';
}

function nothing(): void {}
