import type { Socket } from 'node:net';
import type { Clock, FlotillaError } from '@flotilla/core';
import type { Peer } from '@flotilla/http';
import { peerOf, type Tongue, type TongueConnection } from '@flotilla/http/node';
import { RSocketConnection } from '../../connection.ts';
import type { ServerConnectionOptions } from '../../connection-options.ts';
import { frameType } from '../../frame.ts';
import { type RSocketLimits, resolveRSocketLimits } from '../../limits.ts';
import { SocketChannel } from './socket-channel.ts';

/** How one connection is served; see {@link ServerConnectionOptions}. */
export type Served = Pick<ServerConnectionOptions, 'responder' | 'accept' | 'leases' | 'events' | 'maxPayloadBytes'>;

/** What {@link rsocketTongue} needs. */
export interface RSocketTongueOptions {
  readonly clock: Clock;
  /** Asked for each connection: who is to answer on it. */
  readonly serve: (peer: Peer) => Served;
  /** Overrides of {@link rsocketDefaults}. */
  readonly limits?: Partial<RSocketLimits> | undefined;
}

/**
 * RSocket for a listener that speaks other protocols too. A connection begins with SETUP, whose first bytes no other
 * protocol has.
 *
 * ```ts
 * const tongue = rsocketTongue({ clock, serve: () => ({ responder }) });
 * const network = nodeNetwork({ clock, random, tongues: () => [tongue] });
 * ```
 *
 * @throws RangeError for a limit that is unknown or none
 */
export function rsocketTongue(options: RSocketTongueOptions): Tongue {
  const { clock, serve } = options;
  const limits = resolveRSocketLimits(options.limits);
  return {
    name: 'rsocket',
    detect,
    accept(socket) {
      const served = serve(peerOf(socket));
      return new Spoken(socket, clock, limits, served);
    },
  };
}

/** A connection in the hands of the listener. It keeps its own time: KEEPALIVE tells it more than silence does. */
class Spoken implements TongueConnection {
  readonly #connection: RSocketConnection;

  constructor(socket: Socket, clock: Clock, limits: RSocketLimits, served: Served) {
    const channel = new SocketChannel(socket, clock);
    this.#connection = RSocketConnection.server({ ...served, channel, clock, limits });
  }

  get inFlight(): number {
    return this.#connection.inFlight;
  }

  drain(): void {
    this.#connection.drain();
  }

  sweep(): void {}

  destroy(reason: FlotillaError): void {
    this.#connection.close(reason);
  }
}

/**
 * SETUP (or RESUME, which is refused in words) on stream 0, in a frame shorter than 64 KiB: `00 xx xx`, four zeros, and
 * the type in the high six bits of the byte behind.
 */
function detect(bytes: Uint8Array): 'yes' | 'no' | 'more' {
  if (bytes[0] !== 0) return 'no';
  for (let at = 3; at < 7 && at < bytes.length; at++) if (bytes[at] !== 0) return 'no';
  const typeByte = bytes[7];
  if (typeByte === undefined) return 'more';
  const type = typeByte >> 2;
  return type === frameType.setup || type === frameType.resume ? 'yes' : 'no';
}
