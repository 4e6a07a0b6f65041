import { Call, type LogFields, type Logger, nullLogger } from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import { CallServer, type CallServerOptions, type RSocketLinks, rsocketCalls } from '@flotilla/rpc/rsocket';
import { type AnyContract, type Binding, type Client, type ClientOptions, createClient } from '../src/index.ts';
import { type Pair, type PairOptions, rsocketPair } from './rsocket-pair.ts';

/** Contracts served over RSocket in memory, and whoever calls them, on a clock that stands still. */
export class CallsPair {
  readonly clock: ManualClock = new ManualClock();
  readonly random: () => number = seededRandom(3);
  readonly lines: { readonly message: string; readonly fields: LogFields }[] = [];
  readonly server: CallServer;
  readonly pair: Pair;
  readonly links: RSocketLinks;

  constructor(
    bindings: readonly Binding[],
    options: Partial<CallServerOptions> = {},
    wire: PairOptions = {},
    peerIsOurs = true,
  ) {
    const { clock, random } = this;
    this.server = new CallServer(bindings, { clock, random, logger: this.#logger(), ...options });
    const responder = this.server.responder();
    const accept = (setup: Parameters<typeof responder.accept>[0]) => responder.accept(setup, peerIsOurs);
    this.pair = rsocketPair({ clock, responder, ...wire, server: { accept, ...wire.server } });
    this.links = linksOver(this.pair);
  }

  client<C extends AnyContract>(contract: C, options: Partial<ClientOptions> = {}): Client<C> {
    const { clock, random } = this;
    return createClient(contract, rsocketCalls(this.links), { clock, random, ...options });
  }

  call(timeoutMs = Infinity): Call {
    const { clock, random } = this;
    return new Call({ clock, random, deadline: clock.now() + timeoutMs });
  }

  #logger(): Logger {
    const write = (message: string, fields: LogFields = {}): void => void this.lines.push({ message, fields });
    const logger: Logger = { ...nullLogger, info: write, warn: write, error: write, child: () => logger };
    return logger;
  }
}

function linksOver({ client }: Pair): RSocketLinks {
  return {
    target: 'services:80',
    get status() {
      return client.takesRequests ? ('open' as const) : ('busy' as const);
    },
    get outstanding() {
      return client.outstanding;
    },
    current: () => client,
    connect: async () => client,
    close: async () => client.drain(),
  };
}
