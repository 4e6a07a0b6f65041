import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createFileCache } from '@flotilla/balance';
import type { Loaded } from '@flotilla/config';
import { type Instance, runInCall } from '@flotilla/core';
import { chooseAdvertisedHost } from '@flotilla/registry/client';
import { type AnyContract, type Client, describeContracts } from '@flotilla/rpc';
import type { ContractClientOptions } from '../client-options.ts';
import { connectDiscovery } from '../discovery/connect.ts';
import type { FleetFetch } from '../fetch/fetch.ts';
import { appCheck } from '../join/app-check.ts';
import { nodeAppServer } from '../join/engines/node-app-server.ts';
import { ObservedRequests } from '../join/engines/observed-requests.ts';
import { answerSignals } from '../join/engines/signals.ts';
import { touch } from '../join/engines/touch.ts';
import { joinLog } from '../join/log.ts';
import { type MemberParts, memberParts } from '../join/member.ts';
import { invalid, type JoinOptions, layerOf, portOf } from '../join/options.ts';
import { type JoinConfig, joinSchema } from '../join/settings.ts';
import { lastKnownHealth } from '../last-known-health.ts';
import { openProcess } from './process/process.ts';
import { loadProcessConfig, type ProcessSources } from './process/process-config.ts';
import { announce } from './process/supervised.ts';

/** An app that is a member of the fleet. */
export interface Member extends AsyncDisposable {
  /** `starting` until it is well for the first time, then `up` and `down`; `draining` from when it leaves. */
  readonly status: 'starting' | 'up' | 'down' | 'draining';
  /** The instance as it was registered. Throws before the server listens. */
  readonly instance: Instance;
  /** Where health, metrics and configuration are. */
  readonly management: { readonly host: string; readonly port: number };
  /** Resolves when the app is up for the first time. */
  readonly up: Promise<void>;
  /** Calls a service without a contract: `fetch('http://payments/7')`. Inside a request it works for that request's call. */
  readonly fetch: FleetFetch;
  /** Calls a contract. */
  client<C extends AnyContract>(contract: C, options?: ContractClientOptions<C>): Client<C>;
  /** Sees requests where there is no server object to give: `app.use(member.middleware)` with Express, Nest, connect. */
  readonly middleware: (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;
  /** The same around a plain listener: `createServer(member.handler(listener))`. */
  handler(listener: RequestListener): RequestListener;
  /**
   * Leaves the fleet.
   * 1. `draining` is pushed; callers say that they know, or get `drainNoticeMs`.
   * 2. The instance is deregistered.
   * 3. The app is told to close: `onStop`, then its server; requests in hand get `drainMs`.
   * 4. Clients and the management port close. The process goes on: ending it is the app's affair.
   */
  leave(reason?: string): Promise<void>;
}

/** Who joined from this process and has not left. */
const members = new Set<string>();

/**
 * Makes an app of any framework a member of the fleet, while it keeps its framework.
 *
 * ```ts
 * const member = await join({ name: 'orders', port: 3000 });
 * const member = await join({ name: 'orders', server: app.listen(3000), health: '/health' });
 * ```
 *
 * Its configuration is read as `run` does: `services.<name>` in `flotilla.yaml`, `FLOTILLA_…`, and flags, which wear a
 * prefix here, because the plain ones are the app's own: `--flotilla.registry=…`. Whatever is configured wins over the
 * options of the code, which are defaults: the code cannot know where it will run.
 *
 * It resolves as soon as the management port is open and the registration is on its way; a registry that cannot be
 * reached is no reason to wait. Nobody is sent to the app before it is well: see {@link Member.up}.
 *
 * @throws FlotillaError CONFIG_INVALID with every mistake of the configuration, or for a name that joined already;
 *   INVALID_INPUT for a name that is none; ADDRESS_IN_USE when the management port is taken
 */
export async function join(options: JoinOptions, sources: ProcessSources = {}): Promise<Member> {
  const layer = layerOf(options);
  const { name } = options;
  if (members.has(name))
    throw invalid(`"${name}" has joined from this process already; leave() comes before another join`);
  members.add(name);
  try {
    return await open(options, () => load(name, layer, sources), sources);
  } catch (thrown) {
    members.delete(name);
    throw thrown;
  }
}

const flagPrefix = '--flotilla.';

/** Flags of the app's own are passed over, and so is a value that stands apart: write `--flotilla.zone=a`. */
function load(name: string, layer: string, sources: ProcessSources): Promise<Loaded<JoinConfig>> {
  const { args = process.argv.slice(2) } = sources;
  const own = args.filter((arg) => arg.startsWith(flagPrefix)).map((arg) => `--${arg.slice(flagPrefix.length)}`);
  const spec = { schema: joinSchema, section: ['services', name] };
  return loadProcessConfig<JoinConfig>(spec, { ...sources, args: own }, [{ name: 'join()', text: layer }]);
}

async function open(
  options: JoinOptions,
  load: () => Promise<Loaded<JoinConfig>>,
  sources: ProcessSources,
): Promise<Member> {
  const { name, server, onStop, contracts = [], metadata = {}, signals = true } = options;
  let requests: ObservedRequests | undefined;
  const { running, parts, management, logger } = await openProcess<JoinConfig, MemberParts>(
    {
      name,
      schema: joinSchema,
      section: ['services', name],
      contracts: describeContracts(contracts),
      policies: ({ clients }) => ({ clients }), // what it serves is the app's own affair
      check: (config) => void portOf(options, config.port),
      async build(config, runtime) {
        requests = new ObservedRequests(runtime);
        const discovery = await connectDiscovery(config.registry, {
          ...runtime,
          bindHost: config.bind,
          zone: config.zone,
        });
        const app = nodeAppServer({
          server,
          place: { host: config.bind, port: portOf(options, config.port) },
          onStop,
          requests,
          ...runtime,
        });
        const advertise = (bind: string, explicit: string | undefined) =>
          chooseAdvertisedHost({ bindHost: bind, advertise: explicit, interfaces: runtime.interfaces });
        const cache = createFileCache({ directory: config.stateDir, logger: runtime.logger });
        runtime.health.register(lastKnownHealth(cache, runtime.clock));
        const check = appCheck(config.health, { ...runtime, touch: (at, timeoutMs) => touch(at, timeoutMs) });
        return memberParts(
          { name, version: options.version, contracts, metadata, contextPath: options.contextPath },
          config,
          app,
          (at) => check({ ...at, host: dialled(at.host) }),
          { ...runtime, discovery, cache, advertise },
        );
      },
    },
    load,
    sources,
  );
  void parts.firstUp.then(() => announce(name, parts.url(), management, logger));
  const observed = requests as ObservedRequests | undefined;
  let leaving = false;
  let release = (): void => {};
  const stop = async (reason: string): Promise<void> => {
    leaving = true;
    await running.stop(reason);
    members.delete(name);
  };
  if (signals) release = answerSignals({ leave: stop, inHand: parts.inHand, log: joinLog(logger) });
  const leave = async (reason = 'the app leaves'): Promise<void> => {
    await stop(reason);
    release();
  };
  return {
    get status() {
      return leaving ? 'draining' : parts.health().status;
    },
    get instance() {
      return parts.instance();
    },
    management,
    up: parts.firstUp,
    fetch: parts.fetch,
    client: (contract, clientOptions) => parts.client(contract, clientOptions),
    middleware(request, response, next) {
      const call = observed?.take(request, response);
      if (call) runInCall(call, next);
      else next();
    },
    handler: (listener) => (request, response) => {
      const call = observed?.take(request, response);
      if (call) runInCall(call, () => listener(request, response));
      else listener(request, response);
    },
    leave,
    [Symbol.asyncDispose]: () => leave(),
  };
}

/** A wildcard is no address that can be connected to. */
function dialled(host: string): string {
  if (host === '' || host === '0.0.0.0') return '127.0.0.1';
  return host === '::' || host === '[::]' ? '::1' : host;
}
