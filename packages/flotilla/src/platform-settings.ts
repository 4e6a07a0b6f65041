import {
  type ConfigSchema,
  flag,
  group,
  integer,
  map,
  number,
  oneOf,
  type Setting,
  type Settings,
  secret,
  settings,
  text,
  urls,
} from '@flotilla/config';
import type { LogLevel, Secret } from '@flotilla/core';
import type { TlsOptions } from '@flotilla/http';
import type { GivenServerPolicies } from '@flotilla/resilience';
import { registrySchemes } from './discovery/kinds.ts';
import type { Placement } from './placement/local-places.ts';
import { type ClientsConfig, clientsSetting, serverSetting } from './policy-settings.ts';

export { balanceSetting } from './balance-settings.ts';
export { registrySchemes } from './discovery/kinds.ts';
export { policyMembers } from './policy-settings.ts';

/** The schema of each key. */
export type SettingsOf<Config> = { readonly [Key in keyof Config]: Setting<Config[Key]> };

/** What every process of a fleet is told. */
export interface ProcessConfig {
  /** The management port: health, metrics, configuration. Off loopback it wants user and password. */
  readonly management: {
    readonly bind: string;
    readonly port: number;
    readonly user: string | undefined;
    readonly password: Secret | undefined;
  };
  /** For what it calls by https, and, of a registry, for what it serves. */
  readonly tls: Required<TlsOptions> & {
    /** Whether what it serves is encrypted, with {@link TlsOptions.cert}; what a registry serves always is where it has one. */
    readonly serve: boolean;
  };
  readonly log: { readonly level: LogLevel; readonly format: 'pretty' | 'json' | 'auto' };
  /** The longest that is waited for callers to see that this instance is draining, before it stops taking calls. */
  readonly drainNoticeMs: number;
  /** How long calls in hand may take to end. */
  readonly drainMs: number;
}

/** What a service is told, besides its own settings. */
export interface PlatformConfig extends ProcessConfig {
  readonly bind: string;
  readonly port: number;
  readonly advertise: string | undefined;
  readonly registry: readonly string[];
  readonly zone: string | undefined;
  readonly weight: number;
  /** Facts to register with this instance, over those of the application. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly stateDir: string;
  readonly run: string | undefined;
  readonly instances: number;
  readonly maxBodyBytes: number;
  /** How typed calls travel, to this service and from it. */
  readonly transport: 'auto' | 'http';
  /** Where services that it calls run. Default of each: remote. */
  readonly placement: Readonly<Record<string, Placement>>;
  /** Whether the service's own port shows the OpenAPI document too. */
  readonly openapi: boolean;
  /** What its instances remember together: a URL of `@flotilla/store`. */
  readonly store: string;
  /** Policies of its clients, by the service that they call. */
  readonly clients: ClientsConfig;
  /** Limits of what it serves. */
  readonly server: GivenServerPolicies;
}

/** What a service is told; its own part stands under `settings`. */
export interface ServiceConfig<S> extends PlatformConfig {
  readonly settings: S;
}

/** Keys that every process of a fleet understands. */
export const processSettings: SettingsOf<ProcessConfig> = {
  management: group(
    {
      bind: text({
        default: '127.0.0.1',
        restart: true,
        describe: 'address of health, metrics and configuration; off loopback it wants user and password',
      }),
      port: integer({
        default: 0,
        min: 0,
        max: 65_535,
        restart: true,
        describe: '0 takes a free one, which the start-up line names',
      }),
      user: text({ optional: true, describe: 'for Basic credentials' }),
      password: secret({ optional: true }),
    },
    { describe: 'the management port' },
  ),
  tls: group(
    {
      cert: text({ optional: true, restart: true, describe: 'file with the certificate of this process, PEM' }),
      key: text({ optional: true, restart: true, describe: 'file with its private key, readable by its owner only' }),
      ca: text({ optional: true, restart: true, describe: 'file with the authorities that others are verified by' }),
      serve: flag({
        default: false,
        restart: true,
        describe: 'whether a service or gateway listens with TLS; a registry that has a certificate always does',
      }),
      clientAuth: oneOf(['none', 'optional', 'require'], {
        default: 'none',
        restart: true,
        describe: 'whether its clients show a certificate',
      }),
      minVersion: oneOf(['TLSv1.2', 'TLSv1.3'], { default: 'TLSv1.2', restart: true }),
    },
    { describe: 'certificates; files that change are read again' },
  ),
  log: group({
    level: oneOf(['debug', 'info', 'warn', 'error'], { default: 'info' }),
    format: oneOf(['pretty', 'json', 'auto'], {
      default: 'auto',
      restart: true,
      describe: 'auto: pretty in a terminal, else JSON',
    }),
  }),
  drainNoticeMs: integer({
    default: 5_000,
    min: 0,
    max: 600_000,
    describe: 'the longest wait until callers know that this instance is draining, before it stops taking calls',
  }),
  drainMs: integer({ default: 30_000, min: 0, max: 3_600_000, describe: 'how long calls in hand may take to end' }),
};

/** Keys that a service understands besides its own, which stand under `settings`. */
export const serviceSettings: SettingsOf<PlatformConfig> = {
  bind: text({
    default: '127.0.0.1',
    restart: true,
    describe: 'address that the service listens on; only this machine reaches the default',
  }),
  port: integer({ default: 0, min: 0, max: 65_535, restart: true, describe: '0 takes a free one' }),
  advertise: text({
    optional: true,
    restart: true,
    describe: 'host that others reach this instance by; default: chosen from bind, and explained in the log',
  }),
  registry: urls({
    default: ['http://127.0.0.1:8761'],
    protocols: registrySchemes,
    restart: true,
    describe:
      'where instances are registered and looked up, http://user:password@host:8761; several of one kind for failover',
  }),
  zone: text({
    optional: true,
    restart: true,
    maxLength: 255,
    describe: 'where this instance runs, for callers that prefer their own zone',
  }),
  weight: number({ default: 1, min: 0, max: 1_000, describe: 'share of the calls relative to its siblings' }),
  metadata: map(text({ maxLength: 1_024 }), {
    default: {},
    maxEntries: 50,
    restart: true,
    describe: 'facts to register with this instance, over those of the application: its lane, for one',
  }),
  stateDir: text({
    default: '.flotilla/state',
    restart: true,
    describe: 'folder for the last known instances, for a start without registry',
  }),
  run: text({ optional: true, describe: 'program of the service, for `flotilla dev`' }),
  instances: integer({ default: 1, min: 1, max: 32, describe: 'how many copies `flotilla dev` starts' }),
  maxBodyBytes: integer({ default: 1_048_576, min: 1, restart: true, describe: 'largest JSON body of a request' }),
  transport: oneOf(['auto', 'http'], {
    default: 'auto',
    restart: true,
    describe: 'auto: typed calls go over RSocket where both sides speak it, else over HTTP',
  }),
  placement: map(oneOf(['process', 'worker', 'remote']), {
    default: {},
    maxEntries: 100,
    restart: true,
    describe: 'where a service that this one calls runs: in this process, in a thread of it, or elsewhere',
  }),
  openapi: flag({
    default: false,
    restart: true,
    describe: 'shows /.well-known/openapi.json on the port of the service too, to everyone who reaches it',
  }),
  store: text({
    default: 'memory:',
    restart: true,
    maxLength: 2_048,
    describe: 'where commands that come again are recognised: memory: (this process), redis://user:password@host:6379',
  }),
  clients: clientsSetting,
  server: serverSetting,
  ...processSettings,
};

/** The whole configuration of a service whose own part has the schema `own`. */
export function serviceSchema<S>(own: ConfigSchema<S> | undefined): Settings<ServiceConfig<S>> {
  return settings({
    ...serviceSettings,
    settings: own ? settingOf(own) : group({}),
  }) as unknown as Settings<ServiceConfig<S>>;
}

/** A whole schema as one setting, so that it can stand under a key. */
function settingOf<S>(schema: ConfigSchema<S>): Setting<S> {
  const { validate, jsonSchema } = schema['~standard'];
  const document = jsonSchema.input({ target: 'draft-2020-12' });
  return {
    jsonSchema: document,
    required: Array.isArray(document['required']) && document['required'].length > 0,
    read(value, path, issues) {
      const result = validate(value ?? {});
      if (result instanceof Promise)
        throw new TypeError('configuration is validated at once; this schema is asynchronous');
      if (!result.issues) return result.value;
      for (const issue of result.issues) {
        const below = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
        issues.push({ path: [...path, ...(below as (string | number)[])], message: issue.message });
      }
      return undefined as S;
    },
  };
}
