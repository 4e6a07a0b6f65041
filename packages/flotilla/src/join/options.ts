import { FlotillaError, identity } from '@flotilla/core';
import { readContextPath } from '@flotilla/http';
import type { AnyContract } from '@flotilla/rpc';
import type { HttpServer } from './engines/node-app-server.ts';
import type { HealthConfig, JoinConfig } from './settings.ts';

/** Settings that the code may give; the configuration of the process wins over them. */
type JoinDefaults = {
  readonly [Key in Exclude<
    keyof JoinConfig,
    'health' | 'management' | 'log' | 'port' | 'run' | 'instances'
  >]?: JoinConfig[Key];
} & {
  readonly management?: Partial<Pick<JoinConfig['management'], 'bind' | 'port' | 'user'>>;
  readonly log?: Partial<JoinConfig['log']>;
};

/** What an app says when it joins a fleet. */
export interface JoinOptions extends JoinDefaults {
  /** Name of the service. */
  readonly name: string;
  /** Port that the app listens on. Not needed with a server. */
  readonly port?: number;
  /**
   * The app's HTTP server, of `node:http` or `node:https`: `app.listen(…)` of Express, `app.server` of Fastify, what `serve`
   * of Hono gives, `app.getHttpServer()` of Nest. With it requests are traced and counted, `currentCall()` works in
   * handlers, and at the end what is in hand is waited for. It may begin to listen later.
   */
  readonly server?: HttpServer;
  /** A path that is asked, or more about how it is asked. Default: a connection that opens is enough. */
  readonly health?: string | Partial<HealthConfig>;
  /** Contracts that the app serves, by its own routes: typed clients find it. */
  readonly contracts?: readonly AnyContract[];
  /** Version of the service, not of its contracts. */
  readonly version?: string;
  /** Facts to register with the instance. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What everything that the app serves stands under: callers then leave it out. Default: nothing. */
  readonly contextPath?: string;
  /** Ends the app after it left the fleet. Default: `server.close()`. */
  readonly onStop?: () => unknown;
  /** False: SIGTERM and SIGINT are the app's affair, which calls `leave()` itself. Default true. */
  readonly signals?: boolean;
}

/** Names that stand in {@link JoinOptions} beside the configuration. */
const own: ReadonlySet<string> = new Set([
  'name',
  'server',
  'health',
  'contracts',
  'version',
  'metadata',
  'contextPath',
  'onStop',
  'signals',
]);

/**
 * The options as the lowest layer of the configuration, so that a mistake in them is reported like any other.
 * @throws FlotillaError CONFIG_INVALID, INVALID_INPUT for a name that is none
 */
export function layerOf(options: JoinOptions): string {
  check(options);
  const { health } = options;
  const settings = Object.entries(options).filter(([key, value]) => !own.has(key) && value !== undefined);
  if (health !== undefined) settings.push(['health', typeof health === 'string' ? { path: health } : health]);
  return JSON.stringify(Object.fromEntries(settings));
}

function check({ name, port, server, onStop, contextPath }: JoinOptions): void {
  if (typeof name !== 'string') throw invalid(`name must be a text, got ${shown(name)}`);
  identity(name);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    const hint = typeof port === 'string' ? '; write Number(…) around a variable of the environment' : '';
    throw invalid(`port of "${name}" must be a whole number from 1 to 65535, got ${shown(port)}${hint}`);
  }
  if (server !== undefined && typeof server?.prependListener !== 'function') {
    throw invalid(
      `server of "${name}" must be a server of node:http: what app.listen() gives with Express, app.server with Fastify, ` +
        `serve() with Hono, app.getHttpServer() with Nest`,
    );
  }
  if (onStop !== undefined && typeof onStop !== 'function') throw invalid(`onStop of "${name}" must be a function`);
  if (contextPath !== undefined) readContextPath(contextPath, name);
}

/** Where the app listens has to be said once, and only once. @throws FlotillaError CONFIG_INVALID */
export function portOf({ name, port, server }: JoinOptions, configured: number): number {
  if (server) return 0; // it says so itself
  if (port !== undefined && port !== configured) {
    throw invalid(
      `the code says that "${name}" listens on port ${port}, its configuration says ${configured}: joining moves no app. ` +
        `Leave the port out of join(), or let the app listen where the configuration says`,
    );
  }
  if (configured !== 0) return configured;
  throw invalid(
    `where does "${name}" listen? Write join({ name, port }) or join({ name, server }), or set "port" (FLOTILLA_PORT)`,
  );
}

export function invalid(detail: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', detail);
}

function shown(value: unknown): string {
  return `${JSON.stringify(value) ?? String(value)} (${typeof value})`.slice(0, 100);
}
