import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Clock, FlotillaError, formatHostPort } from '@flotilla/core';
import type { HttpTarget } from '@flotilla/http';
import { clientContext, guardedLookup, type TlsFiles } from '@flotilla/http/node';

/** Whom to dial, and for how long. */
export interface DialOptions {
  readonly target: HttpTarget;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** For a target of `https` without an authority of its own. */
  readonly tls?: TlsFiles | undefined;
}

/** Opens a socket, with TLS where the target says `https`. @returns rejects with CONNECT_FAILED, `executed: no` */
export function dial(options: DialOptions): Promise<Socket> {
  const { target, clock, timeoutMs } = options;
  const name = formatHostPort(target);
  return new Promise((resolve, reject) => {
    const socket = open(options);
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

function open({ target, tls }: DialOptions): Socket {
  const { host, port, refuses, ca } = target;
  const address = { host, port, noDelay: true, ...(refuses && { lookup: guardedLookup(refuses) }) };
  if (target.protocol === 'http') return connect(address);
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const trust = ca !== undefined ? { ca } : tls ? clientContext(tls) : {};
  return connectTls({ ...address, ...servername, ...trust });
}

function nothing(): void {}
