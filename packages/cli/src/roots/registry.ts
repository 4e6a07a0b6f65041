import { settings } from '@flotilla/config';
import { type Component, FlotillaError, formatHostPort } from '@flotilla/core';
import { createPeers } from '@flotilla/eureka/peers';
import { eurekaRoutes } from '@flotilla/eureka/server';
import { answerNowOf, type HttpHandler, type HttpListener, routesHandler } from '@flotilla/http';
import type { NodeNetworkOptions } from '@flotilla/http/node';
import {
  type Access,
  AddressRules,
  AuditTrail,
  assertRegistryExposure,
  auditFile,
  ClientMeter,
  createAccess,
  createRegistry,
  DialBack,
  type DialBackOptions,
  type EngineState,
  type Exposure,
  fileStore,
  forThisMachine,
  type RegistryUser,
  registryRoutes,
  type Saving,
  socketDialer,
  statusRoutes,
} from '@flotilla/registry/server';
import type { HealthState } from '@flotilla/telemetry';
import { type ProcessSources, runProcess } from 'flotilla';
import { ensureFolderOf } from '../engines/folder.ts';
import { observed } from './observed-requests.ts';
import { assertOneWay, engineOf } from './registry-engine.ts';
import { type RegistryConfig, registrySettings } from './registry-settings.ts';

/** A registry holds one connection per watcher and per renewing client. */
const network = (): Partial<NodeNetworkOptions> => ({
  limits: { maxConnections: 100_000, maxConnectionsPerAddress: 50_000 },
});

/** The registry process: our own API and Eureka's on one port. */
export function runRegistry(sources: ProcessSources): Promise<void> {
  return runProcess(
    {
      name: 'registry',
      schema: settings(registrySettings),
      section: ['registry'],
      servesTls: true,
      network,
      check: checkConfig,
      async build(config, { network, bindOf, clock, random, logger, meter, tracer, health }) {
        const warning = assertRegistryExposure(exposureOf(config));
        if (warning !== undefined) logger.warn(warning);
        if (config.auditFile !== '') await ensureFolderOf(config.auditFile);
        const sink = config.auditFile === '' ? undefined : auditFile({ path: config.auditFile, logger });
        const audit = new AuditTrail({ clock, logger, meter, ...(sink && { sink }) });
        const clients = new ClientMeter(config.limits);
        const engine = await engineOf(config, { clock, random });
        const registry = createRegistry({
          audit,
          clock,
          random,
          logger,
          meter,
          ...(engine ? { engine } : undefined),
          incompatible: config.incompatibleContracts,
          ...(config.snapshotFile === '' ? undefined : { store: fileStore({ path: config.snapshotFile, logger }) }),
        });
        const peers = createPeers({
          registry,
          network,
          clock,
          random,
          logger,
          meter,
          urls: config.peers,
          myUrl: config.myUrl || undefined,
          requestTimeoutMs: config.peerTimeoutMs,
          startTimeoutMs: config.peerStartTimeoutMs,
        });
        const dialBack = dialBackFor(config, isDevelopment(sources), { registry, clock, logger, meter });
        const handlerFor = (now: RegistryConfig): HttpHandler => {
          const access = accessFor(now, clients, audit);
          const all = routesHandler([
            ...registryRoutes(registry, { access, dialBack }),
            ...statusRoutes(registry, { access, dialBack, peers: () => peers.states }),
            ...eurekaRoutes(registry, { access, dialBack, peers }),
          ]);
          return !access.isOpen || now.insecureAllowAnybody ? all : forThisMachine(all);
        };
        let handler = handlerFor(config);
        let drainMs = config.drainMs;
        let listener: HttpListener | undefined;
        const component: Component = {
          name: 'registry',
          async start() {
            if (config.snapshotFile !== '') await ensureFolderOf(config.snapshotFile);
            await registry.start();
            await peers.start(); // before anybody is served: a list without what peers know would be wrong
            health.register({ name: 'snapshot', check: () => snapshotHealth(registry.saving) });
            if (engine) health.register({ name: 'engine', check: () => engineHealth(registry.engine) });
            const present = observed(
              (request, call) => handler(request, call),
              (request, context) => answerNowOf(handler)?.(request, context),
              { meter, tracer },
            );
            listener = await network.listen(bindOf(config.bind, config.port), present);
          },
          async stop(reason) {
            const drained = listener?.drain(drainMs); // from here on nobody new comes in
            await dialBack?.stop();
            await peers.stop(reason); // tells them what they do not know yet
            await registry.stop(reason); // ends the watches, which would hold their connections for ever
            await drained;
            await sink?.close();
          },
        };
        return {
          components: [component],
          url: () =>
            `${config.tls.cert === undefined ? 'http' : 'https'}://${formatHostPort(listener ?? { host: config.bind, port: config.port })}`,
          // Who may use it counts from the next request; the watches of who may not any more end.
          refresh(now, before) {
            handler = handlerFor(now);
            registry.endWatches((who) => isSameUser(who, before, now));
            noteUsers(audit, before, now);
            drainMs = now.drainMs;
          },
          inHand: () => (listener && listener.connections > 0 ? `${listener.connections} connections` : ''),
        };
      },
    },
    sources,
  );
}

/** Whether a user is as before, or proves itself by at least one thing that it had; without users everybody is "anybody". */
function isSameUser(who: string, before: RegistryConfig, now: RegistryConfig): boolean {
  const [old, user] = [before.users[who], now.users[who]];
  if (!old || !user) return Object.keys(now.users).length === 0 && Object.keys(before.users).length === 0;
  if (old.role !== user.role) return false;
  const proofs = proofsOf(old);
  return proofsOf(user).some((proof) => proofs.includes(proof));
}

/** For comparing alone: they are secrets. */
function proofsOf({ password, tokens, certificates }: RegistryConfig['users'][string]): string[] {
  const passwords = password ? [`password ${password.reveal()}`] : [];
  return [...passwords, ...tokens.map(({ secret }) => `token ${secret.reveal()}`), ...certificates];
}

/** Its supervisor is `flotilla dev`. */
function isDevelopment({ env = process.env }: ProcessSources): boolean {
  return env['FLOTILLA_SUPERVISED'] === '1';
}

function dialBackFor(
  { checkAddresses: { enabled, allow } }: RegistryConfig,
  isDeveloping: boolean,
  needs: Pick<DialBackOptions, 'registry' | 'clock' | 'logger' | 'meter'>,
): DialBack | undefined {
  if (!(enabled ?? isDeveloping)) return undefined;
  const loopback = isDeveloping ? ['127.0.0.0/8', '::1/128'] : [];
  return new DialBack({ ...needs, dialer: socketDialer(), allow: [...allow, ...loopback] });
}

/** @throws FlotillaError CONFIG_INVALID */
function checkConfig(config: RegistryConfig): void {
  assertOneWay(config);
  assertRegistryExposure(exposureOf(config));
  accessFor(config);
  new AddressRules(config.checkAddresses.allow);
}

function accessFor(config: RegistryConfig, meter?: ClientMeter, audit?: AuditTrail): Access {
  const users = usersOf(config);
  const { allowAnonymousRead } = config;
  return createAccess({ users: users.length > 0 ? users : undefined, meter, audit, allowAnonymousRead });
}

/** Who may use a registry is changed by whoever writes its configuration: names are noted, secrets only that they changed. */
function noteUsers(audit: AuditTrail, before: RegistryConfig, after: RegistryConfig): void {
  if (usersText(before) === usersText(after)) return;
  audit.record({
    who: 'configuration',
    action: 'users',
    outcome: 'done',
    before: namesOf(before),
    after: namesOf(after),
  });
}

/** For comparing alone: it holds secrets. */
function usersText({ users }: RegistryConfig): string {
  return JSON.stringify(
    Object.entries(users).map(([name, { password, tokens, ...rest }]) => [
      name,
      rest,
      password?.reveal(),
      tokens.map(({ secret, notBefore, notAfter }) => [secret.reveal(), notBefore, notAfter]),
    ]),
  );
}

function namesOf({ users }: RegistryConfig): string {
  return Object.entries(users)
    .map(([name, { role, tokens }]) => `${name} (${role}, ${tokens.length} tokens)`)
    .join(', ');
}

function exposureOf(config: RegistryConfig): Exposure {
  return { host: config.bind, users: usersOf(config), insecureAllowAnybody: config.insecureAllowAnybody };
}

/** Without services, a user speaks for the one that bears its name. */
function usersOf({ users }: RegistryConfig): RegistryUser[] {
  return Object.entries(users).map(([name, { password, tokens, certificates, role, services, contracts }]) => ({
    name,
    role,
    ...(password ? { password } : undefined),
    tokens: tokens.map(({ secret, notBefore, notAfter }) => ({
      secret,
      ...instant('notBefore', notBefore, name),
      ...instant('notAfter', notAfter, name),
    })),
    certificates,
    ...(services.length > 0 ? { services } : undefined),
    ...(contracts.length > 0 ? { contracts } : undefined),
  }));
}

/** @throws FlotillaError CONFIG_INVALID */
function instant<Key extends string>(
  key: Key,
  text: string | undefined,
  user: string,
): { readonly [K in Key]?: number } {
  if (text === undefined) return {};
  const at = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/.test(text)
    ? Date.parse(text)
    : NaN;
  if (Number.isFinite(at)) return { [key]: at } as { readonly [K in Key]?: number };
  throw new FlotillaError(
    'CONFIG_INVALID',
    `"${key}" of a token of "registry.users.${user}" must be an instant such as 2026-01-31T00:00:00Z, got "${text.slice(0, 40)}"`,
  );
}

/** A registry that cannot save still serves: it is ready, and says what is wrong. */
function snapshotHealth({ failing }: Saving): HealthState {
  if (!failing) return { ready: true };
  return { ready: true, reason: `not saved since ${new Date(failing.since).toISOString()}: ${failing.reason}` };
}

/** A registry whose engine is away still serves what it knows: it is ready, and says what is wrong. */
function engineHealth(engine: EngineState | undefined): HealthState {
  if (!engine || engine.state === 'together') return { ready: true };
  const since = new Date(engine.since).toISOString();
  return { ready: true, reason: `${engine.name} not reached since ${since}: ${engine.reason ?? 'no answer yet'}` };
}
