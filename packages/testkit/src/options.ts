import { type Clock, systemClock } from '@flotilla/core';
import { type RouteDocument, readRoutes } from '@flotilla/gateway';
import type { App, PlatformConfig } from 'flotilla';
import { readRoutesFile } from './engines/routes-file.ts';
import type { GatewayNeeds } from './parties/gateway.ts';
import type { RegistryNeeds } from './parties/registry.ts';

/** An application of any settings: they are read by its own schema. */
// biome-ignore lint/suspicious/noExplicitAny: settings stand in an argument, so no other type takes all applications
export type AnyApp = App<any>;

/** A service of the fleet, and how it runs. */
export interface ServiceEntry {
  readonly app: AnyApp;
  /** 1 to 32; each has its own resources and clients. Default 1. */
  readonly copies?: number;
  /** The application's own settings, as they stand under `settings` in `flotilla.yaml`. Default: its defaults. */
  readonly settings?: unknown;
  /** Keys of the platform, as they stand in `flotilla.yaml`. Default: `drainNoticeMs` 0, the rest as everywhere. */
  readonly config?: Partial<PlatformConfig>;
}

/** The door of the fleet. */
export interface GatewayEntry extends GatewayNeeds {
  /** Routes as YAML. */
  readonly routes?: string;
  /** A file of routes, instead: a path from the working directory, or `new URL('./gateway.yaml', import.meta.url)`. */
  readonly routesFile?: string | URL;
}

/** How a fleet in one test runs. */
export interface FleetOptions {
  /**
   * Started in this order, after the registry and before the gateway. Several applications may have one name, as two
   * versions of a service in a roll-out have: their copies are counted on.
   */
  readonly services: readonly (AnyApp | ServiceEntry)[];
  /** Default: none. */
  readonly gateway?: GatewayEntry;
  /** Time of every party. Default: the machine's. */
  readonly clock?: Clock;
  /**
   * What a `ManualClock` does while the test waits for `gateway.fetch`, a `client`, `stop` and the like. `flows` (default):
   * when nothing else can go on, it jumps to the next timer. `stands`: only `clock.advance` moves it.
   */
  readonly time?: 'flows' | 'stands';
  /** Of all randomness: jitter, picks, lost requests. Default 1. */
  readonly seed?: number;
  /**
   * `memory` (default): messages are copied inside the process. `sockets`: real ones on 127.0.0.1, any free ports; bytes
   * then take real time, so a `ManualClock` stands.
   */
  readonly network?: 'memory' | 'sockets';
  readonly registry?: RegistryNeeds;
  /** What `stop` does when something was left behind: a call in hand, a timer, a connection pool. Default `fail`. */
  readonly leftovers?: 'fail' | 'allow';
}

/** The door with its routes read. */
export interface ResolvedGateway {
  readonly needs: GatewayNeeds;
  readonly document: RouteDocument;
}

/** Options with every default filled in and every entry checked. */
export interface ResolvedOptions extends Required<Omit<FleetOptions, 'gateway' | 'services'>> {
  readonly services: readonly Required<ServiceEntry>[];
  readonly gateway: ResolvedGateway | undefined;
}

const reserved = ['registry', 'gateway', 'test'];
const mostCopies = 32;

/** @throws RangeError, TypeError naming the option and what it takes; FlotillaError CONFIG_INVALID for the routes. */
export function resolveOptions(options: FleetOptions): ResolvedOptions {
  const { seed = 1, network = 'memory', leftovers = 'fail', time = 'flows' } = options;
  const { clock = systemClock, registry = {} } = options;
  if (!Number.isSafeInteger(seed)) throw new RangeError(`seed must be an integer, got ${seed}`);
  assertOneOf('network', network, ['memory', 'sockets']);
  assertOneOf('leftovers', leftovers, ['fail', 'allow']);
  assertOneOf('time', time, ['flows', 'stands']);
  const services = options.services.map(resolveEntry);
  const apps = services.map(({ app }) => app);
  const twice = apps.find((app, index) => apps.indexOf(app) !== index);
  if (twice) throw new RangeError(`services lists "${twice.name}" twice; ask for copies: { app, copies: 2 }`);
  const gateway = options.gateway && resolveGateway(options.gateway);
  return { services, gateway, seed, network, leftovers, time, clock, registry };
}

/** @throws RangeError */
export function resolveEntry(given: AnyApp | ServiceEntry): Required<ServiceEntry> {
  const { app, copies = 1, settings = {}, config = {} } = 'app' in given ? given : { app: given };
  if (reserved.includes(app.name)) throw new RangeError(`a service of a test fleet cannot be called "${app.name}"`);
  if (!(Number.isInteger(copies) && copies >= 1 && copies <= mostCopies)) {
    throw new RangeError(`copies of "${app.name}" must be an integer from 1 to ${mostCopies}, got ${copies}`);
  }
  return { app, copies, settings, config };
}

function resolveGateway({ routes, routesFile, ...needs }: GatewayEntry): ResolvedGateway {
  if ((routes === undefined) === (routesFile === undefined)) {
    throw new TypeError('a gateway takes either routes (YAML text) or routesFile (a path)');
  }
  const { name, text } =
    routesFile === undefined ? { name: 'the routes of the test', text: routes ?? '' } : readRoutesFile(routesFile);
  return { needs, document: readRoutes(text, name) };
}

function assertOneOf(name: string, value: string, known: readonly string[]): void {
  if (!known.includes(value)) throw new RangeError(`${name} must be ${known.join(' or ')}, got "${value}"`);
}
