import { type Call, FlotillaError } from '@flotilla/core';
import type { HttpBody } from '@flotilla/http';
import { ClosableFlow } from './closable-flow.ts';
import { closeFrame } from './frames.ts';

/** Who ended a socket: one of its ends, the idle limit, a proof that lapsed, a drain of the gateway, or a failure on the way. */
export type ClosedBy = 'client' | 'upstream' | GatewayClose | 'failure';

/** Why the gateway itself closes one. */
export type GatewayClose = 'idle' | 'expired' | 'drain';

/**
 * What both ends are told by a gateway that closes: "going away" (RFC 6455 §7.4.1), and for a proof that lapsed a code of
 * the range that applications have (§7.4.2), after HTTP's 401.
 */
const codes: Readonly<Record<GatewayClose, number>> = Object.freeze({ idle: 1_001, drain: 1_001, expired: 4_401 });

/** A timer is armed for no longer; then it is armed again. */
const longestTimerMs = 86_400_000;

/** How long both ends may take to answer a close frame before the connections are cut. */
export const closeGraceMs = 1_000;

/** The exchange that a socket began as. */
export interface SocketExchange {
  readonly call: Call;
  /** The listener's call. */
  readonly outer: Call;
  bytesOut: number;
}

/**
 * A WebSocket on its way through, from its handshake to its last byte.
 *
 * | state | permits | exits |
 * |---|---|---|
 * | handshake: the upstream was asked | waiting | open, or an ordinary answer |
 * | open | bytes both ways | closing, over |
 * | closing: both ends were told, at a boundary of frames | what they still say is thrown away | over, after a second at most |
 * | over | nothing | none |
 */
export class OpenSocket {
  /** What the client sends, as the upstream gets it. */
  readonly towardsServer: ClosableFlow;
  /** When the answer 101 came; undefined before. */
  openedAt: number | undefined;
  closedBy: ClosedBy | undefined;
  bytesIn = 0;
  #closing = false;
  readonly #exchange: SocketExchange;
  readonly #touch: () => void;
  #towardsClient: ClosableFlow | undefined;

  /** @param touch told of each sign of life */
  constructor(exchange: SocketExchange, incoming: AsyncIterable<Uint8Array>, touch: () => void) {
    this.#exchange = exchange;
    this.#touch = touch;
    this.towardsServer = new ClosableFlow(incoming, {
      passed: (bytes) => {
        this.bytesIn += bytes;
        touch();
      },
      ended: (thrown) => this.#ended('client', thrown),
    });
  }

  /** The upstream agreed. @returns what the client gets */
  open(body: HttpBody): ClosableFlow {
    const exchange = this.#exchange;
    this.openedAt = exchange.call.clock.now();
    this.#towardsClient = new ClosableFlow(body as AsyncIterable<Uint8Array>, {
      passed: (bytes) => {
        exchange.bytesOut += bytes;
        this.#touch();
      },
      ended: (thrown) => this.#ended('upstream', thrown),
    });
    if (this.closedBy === 'drain') this.#towardsClient.close(closeFrame(codes.drain)); // during the handshake
    return this.#towardsClient;
  }

  /** Tells both ends that it is over; cuts the connections when they do not follow. */
  close(by: GatewayClose): void {
    const { call, outer } = this.#exchange;
    if (this.#closing || outer.ended) return;
    this.#closing = true;
    this.closedBy = by;
    this.#towardsClient?.close(closeFrame(codes[by]));
    this.towardsServer.close(closeFrame(codes[by], call.random));
    const reason = new FlotillaError('UNAVAILABLE', `the WebSocket was closed (${by}) and an end of it did not follow`);
    const timer = call.clock.setTimer(closeGraceMs, () => outer.cancel(reason));
    outer.onEnd(() => timer.cancel());
  }

  /** Closes it when a proof lapses. @param expiresAt epoch milliseconds */
  closeAt(expiresAt: number): void {
    const { call, outer } = this.#exchange;
    const inMs = Math.max(0, expiresAt - call.clock.wallNow());
    const timer = call.clock.setTimer(Math.min(inMs, longestTimerMs), () => {
      if (inMs > longestTimerMs) this.closeAt(expiresAt);
      else this.close('expired');
    });
    outer.onEnd(() => timer.cancel());
  }

  /** The first one counts. */
  #ended(by: ClosedBy, thrown: unknown): void {
    this.closedBy ??= thrown === undefined ? by : 'failure';
  }
}
