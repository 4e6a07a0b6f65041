import { type Component, FlotillaError } from '@flotilla/core';
import type { HttpListener } from '@flotilla/http';
import type { Policies } from '@flotilla/resilience';
import { type ManagementCredentials, managementHandler, type prometheusMeter } from '@flotilla/telemetry';
import type { ProcessConfig } from '../../platform-settings.ts';
import type { LiveConfig } from '../live-config.ts';
import type { ProcessParts, ProcessRuntime, ProcessSpec } from './process-spec.ts';

/** Where operators ask a process: health, metrics, configuration, contracts, policies, picks. Open before anything else is. */
export function managementPort<C extends ProcessConfig>(
  spec: ProcessSpec<C>,
  config: LiveConfig<C>,
  {
    network,
    meter,
    health,
    logger,
    policies,
    parts,
  }: Pick<ProcessRuntime, 'network' | 'health' | 'logger' | 'policies'> & {
    readonly meter: ReturnType<typeof prometheusMeter>;
    readonly parts: () => ProcessParts<C> | undefined;
  },
): { readonly component: Component; readonly address: () => { readonly host: string; readonly port: number } } {
  const { bind, port } = config.now.management;
  const { openapi } = spec;
  let open: HttpListener | undefined;
  return {
    address() {
      if (!open) throw new FlotillaError('START_FAILED', 'the management port is not open yet');
      return { host: bind, port: open.port };
    },
    component: {
      name: 'management port',
      async start() {
        const handler = managementHandler({
          health,
          meter,
          logger,
          host: bind,
          config: () => config.origins,
          info: () => ({ name: spec.name, node: process.versions.node, pid: process.pid, ...parts()?.info?.() }),
          contracts: () => spec.contracts ?? [],
          why: (service) => parts()?.why?.(service) ?? [],
          ...(spec.policies && {
            policies: () => shownPolicies(policies, spec.policies?.(config.now)),
            events: policies.events,
          }),
          ...(openapi && { openapi: () => ({ ...openapi(parts()?.url()), url: parts()?.url() }) }),
          credentials: () => credentialsOf(config.now),
        });
        open = await network.listen({ host: bind, port }, handler);
      },
      stop: async () => open?.drain(1_000),
    },
  };
}

/** Limits of what it serves are shown by who has them. */
function shownPolicies(policies: Policies, config: object | undefined): object {
  const { server, ...view } = policies.view();
  return config && 'server' in config ? { ...view, server } : view;
}

export function credentialsOf({ management: { user, password } }: ProcessConfig): ManagementCredentials | undefined {
  return user !== undefined && password ? { user, password } : undefined;
}
