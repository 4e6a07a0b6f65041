import { connect, isIP, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Clock, FlotillaError, formatHostPort } from '@flotilla/core';
import type { HttpTarget } from '@flotilla/http';
import { clientContext, guardedLookup, type TlsFiles } from '@flotilla/http/node';
import { type SharedReading, SocketChannel } from './socket-channel.ts';

/** Whom to dial, and for how long. */
export interface DialOptions {
  readonly target: HttpTarget;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** For a target of `https` without an authority of its own. */
  readonly tls?: TlsFiles | undefined;
}

/** Opens a channel, with TLS where the target says `https`. @returns rejects with CONNECT_FAILED, `executed: no` */
export async function dial(options: DialOptions): Promise<SocketChannel> {
  const { clock, target } = options;
  if (target.protocol === 'https') return new SocketChannel(await dialled(options, () => openTls(options)), clock);
  const reading: SharedReading = { received: undefined };
  return new SocketChannel(await dialled(options, () => openPlain(options, reading)), clock, reading);
}

function dialled(options: DialOptions, open: () => Socket): Promise<Socket> {
  const { target, clock, timeoutMs } = options;
  const name = formatHostPort(target);
  return new Promise((resolve, reject) => {
    const socket = open();
    const done = (): void => {
      timer.cancel();
      socket.off('error', failed).off('close', closed);
    };
    const fail = (detail: string, cause?: unknown): void => {
      done();
      socket.on('error', nothing);
      socket.destroy();
      reject(new FlotillaError('CONNECT_FAILED', detail, { cause }));
    };
    const failed = (cause: NodeJS.ErrnoException): void => {
      fail(`no connection to ${name}: ${cause.code ?? cause.message}`, cause);
    };
    const closed = (): void => fail(`no connection to ${name}: it was closed at once`);
    const timer = clock.setTimer(timeoutMs, () => {
      fail(`${name} did not take a connection within ${timeoutMs} ms (connectTimeoutMs)`);
    });
    socket.on('error', failed).on('close', closed);
    socket.once(target.protocol === 'https' ? 'secureConnect' : 'connect', () => {
      done();
      resolve(socket);
    });
  });
}

/** Reads into the one buffer that all connections share: each is done with it before the next one reads. */
function openPlain({ target }: DialOptions, reading: SharedReading): Socket {
  const onread = {
    buffer: readBuffer,
    callback(length: number): boolean {
      reading.received?.(readBuffer.subarray(0, length));
      return true;
    },
  };
  return connect({ ...addressOf(target), onread });
}

function openTls({ target, tls }: DialOptions): Socket {
  const servername = isIP(target.host) === 0 ? { servername: target.host } : {};
  const trust = target.ca !== undefined ? { ca: target.ca } : tls ? clientContext(tls) : {};
  return connectTls({ ...addressOf(target), ...servername, ...trust });
}

function addressOf({ host, port, refuses }: HttpTarget): TcpSocketConnectOpts {
  return { host, port, ...(refuses && { lookup: guardedLookup(refuses) }) };
}

const readBuffer = Buffer.allocUnsafeSlow(65_536);

function nothing(): void {}
