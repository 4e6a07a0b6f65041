import type { LiveSetCache } from '@flotilla/balance';
import type { Address, Clock, Logger, Meter, Random, Store, Tracer } from '@flotilla/core';
import type { Bind, HttpNetwork } from '@flotilla/http';
import type { Policies } from '@flotilla/resilience';
import type { RpcTransport } from '@flotilla/rpc';
import type { Health } from '@flotilla/telemetry';
import type { Discovery } from '../discovery/discovery.ts';

/** What a service runs on. `run()` takes sockets and the machine's clock; a test takes memory and a manual clock. */
export interface ServiceRuntime {
  readonly network: HttpNetwork;
  /** Where to listen: the address, or a listening socket that a supervisor handed over instead. */
  readonly bindOf: (host: string, port: number) => Bind;
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly health: Health;
  /** What instances remember together. Default: what the configuration names. */
  readonly store?: Store;
  /** Keeps the last known instances on disk. Default: memory only. */
  readonly cache?: LiveSetCache;
  /** How operations are called where an instance speaks what is faster than HTTP. Default: over HTTP. */
  readonly fast?: RpcTransport;
  /** How operations are called where services are placed in this process, whatever `transport` says. */
  readonly local?: RpcTransport | undefined;
  /** Chooses the host that others reach this instance by, and says why. */
  readonly advertise: (
    bind: string,
    explicit: string | undefined,
  ) => { readonly host: string; readonly reason: string };
  /** What protects the calls that it makes and takes. Default: one with its configuration, of a process that is never busy. */
  readonly policies?: Policies;
  /** Where the management port listens, for tools that look the instance up. */
  readonly management?: Pick<Address, 'host' | 'port'>;
  /** How busy the event loop of this process is, 0 to 1, for callers that ask. Default: they are not told. */
  readonly utilisation?: () => number;
}

/** A runtime that has its policies. */
export type ProtectedRuntime = ServiceRuntime & { readonly policies: Policies };
