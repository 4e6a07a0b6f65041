import type { Clock, FlotillaError } from '@flotilla/core';
import type { ByteChannel } from './byte-channel.ts';
import type { LeaseSource } from './leases.ts';
import type { RSocketLimits } from './limits.ts';
import type { RSocketPeer } from './peer.ts';
import type { PartialRoom } from './reassembly.ts';
import type { RSocketResponder } from './responder-port.ts';
import type { Setup } from './setup.ts';

/** What a client says in SETUP; what is left out has a default, see {@link setupDefaults}. */
export interface SetupOptions {
  readonly keepaliveMs?: number | undefined;
  readonly lifetimeMs?: number | undefined;
  readonly metadataMime?: string | undefined;
  readonly dataMime?: string | undefined;
  /** Ask the server for leases and keep to them. Default false. */
  readonly lease?: boolean | undefined;
  /** Composite metadata entries beside our announcement, or metadata of another MIME type. Default none. */
  readonly metadata?: Uint8Array | undefined;
  readonly data?: Uint8Array | undefined;
}

/** The times are shorter than Spring's (20 and 90 s): a peer that is gone costs calls until it is noticed. */
export const setupDefaults: Readonly<Pick<Setup, 'keepaliveMs' | 'lifetimeMs' | 'metadataMime' | 'dataMime'>> =
  Object.freeze({
    keepaliveMs: 5_000,
    lifetimeMs: 20_000, // far longer than an event loop stands still
    metadataMime: 'message/x.rsocket.composite-metadata.v0',
    dataMime: 'application/json',
  });

/** Hears what happens to a connection. All are optional. */
export interface ConnectionEvents {
  /** Client: SETUP is written. Server: it came and was accepted. */
  open?(setup: Setup): void;
  /** The peer takes no more requests; those in hand go on. */
  peerDrains?(): void;
  /** Metadata of a METADATA_PUSH that is none of the engine's own. Valid only during the call. */
  metadataPush?(metadata: Buffer): void;
  /** A handler or a receiver threw what it should not have. */
  fault?(error: FlotillaError): void;
  /** It is over, for this reason. Called once. */
  closed?(reason: FlotillaError): void;
}

/** What both sides of a connection need. */
export interface ConnectionOptions {
  readonly channel: ByteChannel;
  readonly clock: Clock;
  /** Default: {@link rsocketDefaults}. */
  readonly limits?: RSocketLimits | undefined;
  /** What requests that have come in part share with those of other connections. Default: 256 MiB of the process. */
  readonly room?: PartialRoom | undefined;
  /** Answers the peer's requests. Default: refuses all. */
  readonly responder?: RSocketResponder | undefined;
  readonly events?: ConnectionEvents | undefined;
}

/** The side that connected. */
export interface ClientConnectionOptions extends ConnectionOptions {
  readonly setup?: SetupOptions | undefined;
}

/** The side that was connected to. */
export interface ServerConnectionOptions extends ConnectionOptions {
  /**
   * Looks at the peer's SETUP, before any request behind it. An error refuses the connection: REJECTED_SETUP with its
   * detail; nothing behind SETUP is handled. Default: all are accepted.
   */
  readonly accept?: ((setup: Setup, peer: RSocketPeer) => FlotillaError | undefined) | undefined;
  /** What a peer gets that asks for leases. Default: as many as `maxInbound`, for 30 s at a time. */
  readonly leases?: LeaseSource | undefined;
  /** Raises the limit of this name, where what is served takes longer messages. */
  readonly maxPayloadBytes?: number | undefined;
}
