import type { Call, Handler } from '@flotilla/core';
import type { HttpHeaders } from './headers.ts';
import type { RequestPath } from './path.ts';

/**
 * The bytes of a message: all of them, a stream of them, or none. A stream is read once, by whoever was handed the
 * message; leaving its loop early (`return` of the iterator) tells the sender to stop. Reading rejects with a
 * FlotillaError when the sender is gone before the end.
 */
export type HttpBody = Uint8Array | AsyncIterable<Uint8Array> | undefined;

/** Who is at the other end of the connection, as the listener saw it. */
export interface Peer {
  readonly address: string;
  readonly port: number;
  readonly encrypted: boolean;
  /** The client's certificate; present only when the listener asked for one and verified it. */
  readonly certificate?: PeerCertificate;
}

/** A certificate that was verified. */
export interface PeerCertificate {
  /** `CN=orders` of its subject, then its alternative names as `DNS:orders.internal`, `URI:spiffe://fleet/orders`. */
  readonly names: readonly string[];
  /** SHA-256 of the whole certificate: `AB:CD:…`. */
  readonly fingerprint: string;
}

/** A request, free of any engine: the same for sockets, memory and whatever comes. Treat it as read-only. */
export interface HttpRequest {
  /** An upper-case token: `GET`. */
  readonly method: string;
  /** Host and port as the client named them: `shop.example:8080`. */
  readonly authority: string;
  /** The canonical path: the one that routing, limits, logs and forwarding share. */
  readonly path: RequestPath;
  /** Everything after `?` as it came; empty without one. */
  readonly query: string;
  readonly headers: HttpHeaders;
  readonly body: HttpBody;
  /** Present on a request that came in. */
  readonly peer?: Peer;
  /**
   * The client asks to go on in another protocol (RFC 9110 §7.8); `headers` then hold a valid handshake (RFC 6455 §4.1),
   * and there is no body. Answer 101 with a streamed body, and the exchange is a tunnel: {@link Upgrade.incoming} is what
   * the client sends from here on, the answer's body is what it gets. Each ends by itself (half-close); the exchange is
   * over when both have, or when either is left or breaks off. Any other answer is an ordinary one; then `incoming` was
   * never begun. An engine writes `connection`, `upgrade` and `sec-websocket-accept` itself.
   */
  readonly upgrade?: Upgrade;
}

/** The wish to go on in another protocol. */
export interface Upgrade {
  readonly protocol: 'websocket';
  /** What the client sends in it, read as a body is. */
  readonly incoming: AsyncIterable<Uint8Array>;
}

/** An answer, free of any engine. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: HttpBody;
}

/** One exchange: a request comes, an answer goes. Services, gateway, registry and upstreams are all of this type. */
export type HttpHandler = Handler<HttpRequest, HttpResponse>;

/** Which call an engine makes for a request that comes in. */
export type CallMaker = (request: HttpRequest) => Call;
