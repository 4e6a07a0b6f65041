import type { networkInterfaces } from 'node:os';
import type { ConfigSchema } from '@flotilla/config';
import type { Clock, Component, Logger, Meter, Random, Tracer } from '@flotilla/core';
import type { Bind, HttpNetwork } from '@flotilla/http';
import type { NodeNetworkOptions } from '@flotilla/http/node';
import type { Policies } from '@flotilla/resilience';
import type { RSocketConnector } from '@flotilla/rpc/rsocket';
import type { Health } from '@flotilla/telemetry';
import type { PlatformConfig, ProcessConfig } from '../../platform-settings.ts';

/** What every process of a fleet has. */
export interface ProcessRuntime {
  readonly network: HttpNetwork;
  /** Connections for calls over RSocket. */
  readonly connector: RSocketConnector;
  /** Where to listen: the address, or the listening socket that systemd handed over (`LISTEN_FDS`) instead. */
  readonly bindOf: (host: string, port: number) => Bind;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly health: Health;
  /** What protects the calls that it makes and takes. */
  readonly policies: Policies;
  /** Where the management port listens. */
  readonly management: { readonly host: string; readonly port: number };
  /** The interfaces of this machine, for choosing an address that others can reach. */
  readonly interfaces: ReturnType<typeof networkInterfaces>;
}

/** What one kind of process adds. */
export interface ProcessParts<C> {
  /** Started in order, stopped in reverse. */
  readonly components: readonly Component[];
  /** What it serves, once it is up. */
  url(): string;
  /** More for `/info` on the management port. */
  info?(): object;
  /** Why its calls go where they go, for `/why` on the management port. @throws FlotillaError NO_ROUTE */
  why?(service: string | undefined): unknown;
  /** Calls and streams that ending at once would lose: "3 calls". Empty: nothing. */
  inHand(): string;
  /** Takes in a configuration that changed while the process runs; keys marked `restart` are as they were. Must not throw. */
  refresh?(now: C, before: C): void;
}

/** A kind of process: a service, the registry, the gateway. */
export interface ProcessSpec<C extends ProcessConfig, P extends ProcessParts<C> = ProcessParts<C>> {
  readonly name: string;
  readonly schema: ConfigSchema<C>;
  /** Its part of `flotilla.yaml`. */
  readonly section: readonly string[];
  /** Whether what it serves is encrypted wherever `tls.cert` is set. Default: only with `tls.serve`. */
  readonly servesTls?: boolean;
  /** What of its network is not the default: limits, or whom to believe about a call. */
  readonly network?: (
    needs: { readonly clock: Clock; readonly random: Random },
    config: C,
  ) => Partial<NodeNetworkOptions>;
  /** Contracts that the management port describes. */
  readonly contracts?: unknown;
  /** What it serves as OpenAPI, for the management port. @param url where it serves; undefined before it does */
  readonly openapi?: (url: string | undefined) => { readonly document: unknown; readonly mediaType: string };
  /** What its configuration says of policies. Default: nothing. */
  readonly policies?: (config: C) => Pick<PlatformConfig, 'clients'> & Partial<Pick<PlatformConfig, 'server'>>;
  /** A last look at a configuration before it counts, at the start and later. @throws FlotillaError CONFIG_INVALID. */
  readonly check?: (config: C) => void;
  readonly build: (config: C, runtime: ProcessRuntime) => Promise<P>;
}
