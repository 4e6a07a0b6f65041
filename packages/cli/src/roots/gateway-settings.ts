import { flag, group, integer, map, oneOf, type Setting, text, urls } from '@flotilla/config';
import type { UpstreamsSettings } from '@flotilla/gateway';
import { breakerFields, bulkheadFields } from '@flotilla/resilience';
import {
  balanceSetting,
  type ProcessConfig,
  policyMembers,
  processSettings,
  registrySchemes,
  type SettingsOf,
} from 'flotilla/settings';

/** What the gateway process is told. */
export interface GatewayConfig extends ProcessConfig {
  readonly bind: string;
  readonly port: number;
  readonly routes: string;
  readonly registry: readonly string[];
  readonly stateDir: string;
  readonly transport: 'auto' | 'http';
  readonly developerErrors: boolean;
  readonly webSocketDrainMs: number;
  readonly zone: string | undefined;
  /** How instances are chosen, breaker and cap, by service. */
  readonly clients: UpstreamsSettings;
}

const { per: _, slowFraction: _slowFraction, slowCallMs: _slowCallMs, ...upstreamBreaker } = breakerFields;
const { per: _per, ...upstreamBulkhead } = bulkheadFields;

/** Keys of the gateway process; its part of `flotilla.yaml` is `gateway`. */
export const gatewaySettings: SettingsOf<GatewayConfig> = {
  bind: text({ default: '127.0.0.1', restart: true, describe: 'address that the door listens on' }),
  port: integer({ default: 8_080, min: 0, max: 65_535, restart: true }),
  routes: text({
    default: 'gateway.yaml',
    restart: true,
    describe: 'file of the routes; a change is taken in at once',
  }),
  registry: urls({ default: ['http://127.0.0.1:8761'], protocols: registrySchemes, restart: true }),
  stateDir: text({ default: '.flotilla/state', restart: true, describe: 'folder for the last known instances' }),
  transport: oneOf(['auto', 'http'], {
    default: 'auto',
    restart: true,
    describe: 'auto: services of ours are asked over RSocket where they speak it; http: all over HTTP/1.1',
  }),
  developerErrors: flag({
    default: false,
    restart: true,
    describe: 'answers on the loopback show routes, services and errors; needs a loopback "bind"',
  }),
  webSocketDrainMs: integer({
    default: 30_000,
    min: 0,
    max: 3_600_000,
    restart: true,
    describe: 'how long WebSockets stay after a stop or a change of their route; a stop waits no longer than drainMs',
  }),
  zone: text({
    optional: true,
    restart: true,
    maxLength: 255,
    describe: 'where the gateway runs; instances of its own zone are preferred',
  }),
  clients: map(
    group({
      balance: balanceSetting,
      breaker: group(policyMembers(upstreamBreaker), {
        describe: 'when the service is not asked any more; there is none where nothing is said of it',
      }),
      bulkhead: group(policyMembers(upstreamBulkhead), {
        describe: 'a cap on requests to the service; off without maxConcurrent',
      }),
    }),
    {
      default: {},
      maxEntries: 1_000,
      describe: 'what holds for a service, `*` for all services; time-outs and retries belong to routes',
    },
  ) as Setting<UpstreamsSettings>,
  ...processSettings,
};
