import {
  type Address,
  Call,
  type CallOptions,
  type Endpoint,
  type Handler,
  type Instance,
  type InstanceSet,
  identity,
  type LogFields,
  type Logger,
  type Random,
  type Resolver,
  type Target,
} from '@flotilla/core';
import { ManualClock, seededRandom } from '@flotilla/core/testing';
import type { ClusterOptions } from '../src/index.ts';

/** An instance of `orders` that is up at its own HTTP address, but for what `changes` says. */
export function instance(id: string, changes: Partial<Instance> = {}): Instance {
  return {
    id,
    identity: identity('orders'),
    incarnation: 1,
    addresses: [{ protocol: 'http', host: `${id}.internal`, port: 8080 }],
    contracts: [],
    status: 'up',
    weight: 1,
    revision: 0,
    metadata: {},
    bags: {},
    ...changes,
  };
}

/** Instances `i0`, `i1`, … */
export function instances(count: number): Instance[] {
  return Array.from({ length: count }, (_, index) => instance(`i${index}`));
}

/** A resolver whose word is spoken by the test. */
export class SpokenResolver implements Resolver {
  readonly #watchers = new Set<(set: InstanceSet) => void>();

  get watchers(): number {
    return this.#watchers.size;
  }

  watch(_target: Target, update: (set: InstanceSet) => void): { close(): void } {
    this.#watchers.add(update);
    return { close: () => void this.#watchers.delete(update) };
  }

  say(members: readonly Instance[], warming = false): void {
    for (const update of this.#watchers) update({ instances: members, warming });
  }
}

/** An endpoint in memory: counts calls until they have ended, closes when none is left. */
export class MemoryEndpoint implements Endpoint<string, string> {
  readonly host: string;
  readonly handle: Handler<string, string>;
  status: 'open' | 'busy' | 'closed' = 'open';
  load = 0;
  calls = 0;
  #idle: (() => void) | undefined;

  constructor(host: string, behave: Handler<string, string>) {
    this.host = host;
    this.handle = async (request, call) => {
      this.load += 1;
      this.calls += 1;
      call.onEnd(() => {
        this.load -= 1;
        if (this.load === 0) this.#idle?.();
      });
      return behave(request, call);
    };
  }

  close(): Promise<void> {
    this.status = 'closed';
    return this.load === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          this.#idle = resolve;
        });
  }
}

/** How an instance behaves; by default it answers its name at once, to the last byte. */
export type Behaviour = (host: string, request: string, call: Call) => Promise<string>;

export const answersItsName: Behaviour = async (host, _request, call) => {
  call.end();
  return host.replace('.internal', '');
};

/** A world around one cluster. */
export interface Fleet {
  readonly clock: ManualClock;
  readonly random: Random;
  readonly resolver: SpokenResolver;
  readonly endpoints: Map<string, MemoryEndpoint>;
  readonly lines: { message: string; fields: LogFields }[];
  readonly options: ClusterOptions<string, string>;
  newCall(options?: Partial<CallOptions>): Call;
}

export function fleet(behave: Behaviour = answersItsName, seed = 1): Fleet {
  const clock = new ManualClock();
  const random = seededRandom(seed);
  const resolver = new SpokenResolver();
  const endpoints = new Map<string, MemoryEndpoint>();
  const lines: Fleet['lines'] = [];
  const connect = ({ host }: Address): MemoryEndpoint => {
    const endpoint = new MemoryEndpoint(host, (request, call) => behave(host, request, call));
    endpoints.set(host.replace('.internal', ''), endpoint);
    return endpoint;
  };
  return {
    clock,
    random,
    resolver,
    endpoints,
    lines,
    options: {
      target: { service: 'orders' },
      resolver,
      connect,
      protocols: ['http'],
      clock,
      random,
      logger: collect(lines),
    },
    newCall: (options = {}) => new Call({ clock, random, ...options }),
  };
}

function collect(lines: Fleet['lines'], bound: LogFields = {}): Logger {
  const write = (message: string, fields: LogFields = {}): void => {
    lines.push({ message, fields: { ...bound, ...fields } });
  };
  return {
    debug: write,
    info: write,
    warn: write,
    error: write,
    child: (more) => collect(lines, { ...bound, ...more }),
  };
}
