import { followFiles } from '@flotilla/config';
import { FlotillaError, type Logger, type Meter, systemClock } from '@flotilla/core';
import type { Policies } from '@flotilla/resilience';
import { LiveConfig } from '../../engines/live-config.ts';
import { followedFiles, loadProcessConfig } from '../../engines/process/process-config.ts';
import type { ServiceConfig } from '../../platform-settings.ts';
import { assertPolicies } from '../../process-policies.ts';
import type { PlacedConfig } from '../placed-config.ts';
import { variablePrefixOf } from '../placed-sources.ts';
import type { PlacedApp, ServiceSource } from './placed-app.ts';

/** What following a configuration takes. */
export interface FollowNeeds {
  readonly logger: Logger;
  readonly meter: Meter;
  /** Called when something waits for the next start of the process. */
  readonly outdated: () => void;
}

/**
 * Reads the configuration of a placed service and follows its files.
 * @throws FlotillaError CONFIG_INVALID
 */
export async function openPlacedConfig(
  { schema }: PlacedApp,
  source: ServiceSource,
  needs: FollowNeeds,
): Promise<PlacedConfig> {
  type Config = ServiceConfig<unknown>;
  const { name, files, args, env, shared } = source;
  const sources = { args, env, files, envPrefix: variablePrefixOf(name) };
  const load = () => loadProcessConfig<Config>({ schema, section: ['services', name] }, sources);
  let policies: Policies | undefined;
  const check = (values: Config): void => {
    assertPolicies(values, policies);
    assertNothingPlaced(values, source);
  };
  // Followed before they are read, as those of a process are.
  const following = Promise.withResolvers<LiveConfig<Config> | undefined>();
  const follower = await followFiles(followedFiles(sources), systemClock, async () =>
    (await following.promise)?.refresh(),
  );
  try {
    const loaded = await load();
    check(loaded.values);
    const live = new LiveConfig({ schema, loaded, load, check, ...needs });
    // One by one: a process hands over its whole configuration, and what is placed keeps its own settings and policies.
    const { registry, zone, stateDir, drainMs } = shared;
    const within = (values: Config): Config => ({ ...values, registry, zone, stateDir, drainMs });
    return {
      get now() {
        return within(live.now);
      },
      follow(own, listener) {
        policies = own;
        live.onChange((now) => listener(within(now)));
        following.resolve(live);
      },
      close() {
        following.resolve(undefined); // a change that waits is none any more
        return follower.close();
      },
    };
  } catch (thrown) {
    following.resolve(undefined);
    await follower.close();
    throw thrown;
  }
}

/** What is placed here finds what else is placed in the process; a place of its own it has not. */
function assertNothingPlaced({ placement }: ServiceConfig<unknown>, { name, inProcess }: ServiceSource): void {
  for (const [other, place] of Object.entries(placement)) {
    if (place === 'remote' || inProcess.includes(other)) continue;
    throw new FlotillaError(
      'CONFIG_INVALID',
      `services.${name}.placement.${other}: "${name}" is itself placed in a process, and nothing is placed in it: place "${other}" in that process, or leave it remote`,
    );
  }
}
