import { ManualClock, settle } from '@flotilla/core/testing';
import {
  type ClientConnectionOptions,
  RSocketConnection,
  type RSocketLimits,
  type RSocketReceiver,
  type RSocketResponder,
  resolveRSocketLimits,
  type ServerConnectionOptions,
  type SetupOptions,
} from '@flotilla/rpc/rsocket';
import { BytePair } from '@flotilla/rpc/rsocket/memory';

/** What a {@link rsocketPair} may be given. */
export interface PairOptions {
  readonly clock?: ManualClock;
  readonly responder?: RSocketResponder;
  readonly clientResponder?: RSocketResponder;
  readonly setup?: SetupOptions;
  readonly limits?: Partial<RSocketLimits>;
  readonly clientLimits?: Partial<RSocketLimits>;
  readonly client?: Partial<ClientConnectionOptions>;
  readonly server?: Partial<ServerConnectionOptions>;
}

/** Two sides of a connection in memory, on a clock that stands still. */
export interface Pair {
  readonly clock: ManualClock;
  readonly link: BytePair;
  readonly client: RSocketConnection;
  readonly server: RSocketConnection;
}

export function rsocketPair(options: PairOptions = {}): Pair {
  const clock = options.clock ?? new ManualClock();
  const link = new BytePair();
  const server = RSocketConnection.server({
    channel: link.server,
    clock,
    limits: resolveRSocketLimits(options.limits),
    responder: options.responder,
    ...options.server,
  });
  const client = RSocketConnection.client({
    channel: link.client,
    clock,
    limits: resolveRSocketLimits(options.clientLimits ?? options.limits),
    responder: options.clientResponder,
    setup: options.setup,
    ...options.client,
  });
  return { clock, link, client, server };
}

/** A receiver that writes down what it hears. */
export class Heard implements RSocketReceiver {
  readonly items: string[] = [];
  readonly ends: string[] = [];
  executed: string | undefined;
  credit = 0;
  next(payload: { dataText(): string }): void {
    this.items.push(payload.dataText());
  }
  complete(): void {
    this.ends.push('complete');
  }
  error(code: number, text: string): void {
    this.ends.push(`error 0x${code.toString(16)} ${text}`);
  }
  failed(error: { code: string; executed: string }): void {
    this.executed = error.executed;
    this.ends.push(error.code);
  }
  requested(n: number): void {
    this.credit += n;
  }
  inputCancelled(): void {
    this.ends.push('input cancelled');
  }
}

export { settle };
