import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { FlotillaError } from '@flotilla/core';
import type { TlsFiles } from './tls-files.ts';

/** The first byte of a TLS connection: a record of type handshake (RFC 8446 §5.1). */
const handshakeRecord = 22;

export function looksLikeTls(bytes: Uint8Array): boolean {
  return bytes[0] === handshakeRecord;
}

/** What {@link Handshakes} needs. */
export interface HandshakesOptions {
  readonly tls: TlsFiles;
  /** A handshake that takes longer fails. */
  readonly timeoutMs: number;
  /** A handshake that failed: its socket is gone. */
  readonly failed: (cause: Error, address: string | undefined) => void;
}

/**
 * Turns accepted sockets into encrypted ones. The server inside never listens: it is given sockets, so that the listener
 * counts and bounds them before any handshake. Files that were reloaded count for the next one.
 */
export class Handshakes {
  readonly #tls: TlsFiles;
  readonly #server: Server;
  #version: number;
  readonly #waiting = new Map<string, (secure: TLSSocket) => void>();

  /** @throws FlotillaError CONFIG_INVALID without a certificate */
  constructor({ tls, timeoutMs, failed }: HandshakesOptions) {
    const { clientAuth = 'none' } = tls.options;
    if (!tls.material.cert) {
      throw new FlotillaError('CONFIG_INVALID', 'a listener that speaks TLS needs "tls.cert" and "tls.key"');
    }
    this.#tls = tls;
    this.#version = tls.version;
    this.#server = createServer({
      ...contextOf(tls),
      requestCert: clientAuth !== 'none',
      rejectUnauthorized: false, // see certificateProblem
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: Math.max(1, Math.min(timeoutMs, 2_147_483_647)),
    });
    this.#server.on('secureConnection', (secure: TLSSocket) => {
      const key = keyOf(secure);
      const opened = this.#waiting.get(key);
      this.#waiting.delete(key);
      if (opened) opened(secure);
      else secure.destroy();
    });
    this.#server.on('tlsClientError', (cause, secure) => {
      failed(cause, secure.remoteAddress);
      secure.destroy();
    });
  }

  /** @param socket paused; the bytes that were looked at are back in it. */
  begin(socket: Socket, opened: (secure: TLSSocket) => void): void {
    const key = keyOf(socket);
    this.#waiting.set(key, opened);
    socket.once('close', () => {
      if (this.#waiting.get(key) === opened) this.#waiting.delete(key);
    });
    if (this.#version !== this.#tls.version) {
      this.#version = this.#tls.version;
      this.#server.setSecureContext(contextOf(this.#tls));
    }
    this.#server.emit('connection', socket);
  }
}

/**
 * Why a client's certificate is not taken. Node would close the connection without a word; a listener that answers the
 * first request with this says what is missing.
 */
export function certificateProblem(secure: TLSSocket, { options: { clientAuth } }: TlsFiles): string | undefined {
  if (clientAuth !== 'require' || secure.authorized) return undefined;
  if (!secure.getPeerX509Certificate()) return 'this port wants a client certificate: set "tls.cert" and "tls.key"';
  const { authorizationError } = secure;
  return `this client certificate is not taken: ${String((authorizationError as { code?: string } | null)?.code ?? authorizationError)}`;
}

/** What both sides of a connection take from the files. */
export function contextOf({ material: { cert, key, ca, minVersion } }: TlsFiles): {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3';
} {
  return { ...(cert && { cert }), ...(key && { key }), ...(ca && { ca }), minVersion };
}

/** Of the connections that are open on one listener, no two have one peer address and port. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
