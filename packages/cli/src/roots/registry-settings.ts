import { flag, group, integer, list, map, number, oneOf, type Setting, secret, text, urls } from '@flotilla/config';
import type { Secret } from '@flotilla/core';
import { clientLimits, type Rate } from '@flotilla/registry/server';
import { type ProcessConfig, processSettings, type SettingsOf } from 'flotilla/settings';

/** A token that one of them may send; instants as ISO 8601. */
interface TokenConfig {
  readonly secret: Secret;
  readonly notBefore: string | undefined;
  readonly notAfter: string | undefined;
}

/** Somebody who may use the registry. */
interface UserConfig {
  readonly password: Secret | undefined;
  readonly tokens: readonly TokenConfig[];
  readonly certificates: readonly string[];
  readonly role: 'instance' | 'operator' | 'reader' | 'peer';
  readonly services: readonly string[];
  readonly contracts: readonly string[];
}

/** Files of certificates for the engine; empty: none. */
interface EngineTlsConfig {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** What the registry process is told. */
export interface RegistryConfig extends ProcessConfig {
  readonly bind: string;
  readonly port: number;
  readonly snapshotFile: string;
  readonly engine: string;
  readonly engineUser: string;
  readonly enginePassword: Secret | undefined;
  readonly engineTls: EngineTlsConfig;
  readonly incompatibleContracts: 'report' | 'refuse';
  readonly peers: readonly string[];
  readonly myUrl: string;
  readonly peerTimeoutMs: number;
  readonly peerStartTimeoutMs: number;
  readonly users: Readonly<Record<string, UserConfig>>;
  readonly allowAnonymousRead: boolean;
  readonly insecureAllowAnybody: boolean;
  readonly auditFile: string;
  readonly checkAddresses: { readonly enabled: boolean | undefined; readonly allow: readonly string[] };
  readonly limits: Readonly<Record<'renewal' | 'change' | 'read' | 'list' | 'failedLogin', Rate>>;
}

function rate({ perSecond, burst }: Rate, describe: string): Setting<Rate> {
  return group(
    {
      perSecond: number({ default: perSecond, min: 0.001, max: 1_000_000, restart: true }),
      burst: integer({ default: burst, min: 1, max: 10_000_000, restart: true }),
    },
    { describe },
  );
}

/** Keys of the registry process; its part of `flotilla.yaml` is `registry`. */
export const registrySettings: SettingsOf<RegistryConfig> = {
  bind: text({ default: '127.0.0.1', restart: true, describe: 'off loopback it wants users' }),
  port: integer({ default: 8_761, min: 0, max: 65_535, restart: true }),
  snapshotFile: text({
    default: '.flotilla/state/registry.json',
    restart: true,
    describe: 'where the instances are kept for a restart; empty: nowhere',
  }),
  engine: text({
    default: '',
    restart: true,
    describe: 'where several registries are one: etcd://host:2379,host2:2379/prefix, zookeeper://…; empty: it is alone',
  }),
  engineUser: text({ default: '', restart: true, describe: 'user of the engine; empty: none' }),
  enginePassword: secret({ optional: true, restart: true }),
  engineTls: group({
    caFile: text({
      default: '',
      restart: true,
      describe: 'PEM of who signed the certificates of etcds: or zookeepers:',
    }),
    certFile: text({ default: '', restart: true, describe: "PEM of the registry's own certificate" }),
    keyFile: text({ default: '', restart: true, describe: 'PEM of its key' }),
  }),
  incompatibleContracts: oneOf(['report', 'refuse'], {
    default: 'report',
    restart: true,
    describe: 'what becomes of a provider that does not keep what present callers rely on',
  }),
  peers: urls({
    default: [],
    mayBeEmpty: true,
    restart: true,
    describe:
      'registries to replicate with, ours or Java servers: http://user:password@host:8761/eureka/, the user with the role peer there',
  }),
  myUrl: text({
    default: '',
    restart: true,
    describe: 'which of the peers is this registry itself, so that one list fits all; empty: found out by asking',
  }),
  peerTimeoutMs: integer({
    default: 5_000,
    min: 100,
    max: 60_000,
    restart: true,
    describe: 'milliseconds that a peer has for one answer',
  }),
  peerStartTimeoutMs: integer({
    default: 10_000,
    min: 0,
    max: 300_000,
    restart: true,
    describe: 'milliseconds that a start waits for a peer to tell what it lists; 0: it does not wait',
  }),
  users: map(
    group({
      password: secret({ optional: true }),
      tokens: list(
        group({
          secret: secret(),
          notBefore: text({ optional: true, describe: 'from when on it counts: 2026-01-31T00:00:00Z' }),
          notAfter: text({ optional: true, describe: 'from when on it counts no more' }),
        }),
        { default: [], maxItems: 8, describe: 'what it may send as Bearer or as password; "sha256:…" for a hash' },
      ),
      certificates: list(text(), {
        default: [],
        maxItems: 16,
        describe: 'names in its client certificate: CN=orders, DNS:orders.internal, URI:spiffe://fleet/orders',
      }),
      role: oneOf(['instance', 'operator', 'reader', 'peer'], { default: 'instance' }),
      services: list(text(), {
        describe: 'services that this user may register, "*" for any; default: the one that bears its name',
        default: [],
      }),
      contracts: list(text(), {
        describe: 'contracts that instances of this user may say they serve; default: any',
        default: [],
      }),
    }),
    { default: {}, describe: 'who may use it, by name' },
  ),
  allowAnonymousRead: flag({ default: false, describe: 'whoever has no credentials may read, with users' }),
  insecureAllowAnybody: flag({
    default: false,
    restart: true,
    describe: 'off loopback without users: whoever reaches it may do everything',
  }),
  auditFile: text({
    default: '',
    restart: true,
    describe: 'where deeds of operators and what was refused are appended; empty: the log alone',
  }),
  checkAddresses: group(
    {
      enabled: flag({
        optional: true,
        restart: true,
        describe: 'connects to an instance before it is listed as up; default: under `flotilla dev` only',
      }),
      allow: list(text(), {
        default: [],
        maxItems: 100,
        restart: true,
        describe: 'ranges that it dials although it would not: loopback, link-local, multicast; 127.0.0.0/8',
      }),
    },
    { describe: 'whether advertised addresses are tried' },
  ),
  limits: group(
    {
      renewal: rate(clientLimits.renewal, 'signs of life'),
      change: rate(clientLimits.change, 'registrations, farewells, status, metadata'),
      read: rate(clientLimits.read, 'single instances, deltas, services'),
      list: rate(clientLimits.list, 'lists of everybody'),
      failedLogin: rate(clientLimits.failedLogin, 'wrong credentials of one address'),
    },
    { describe: 'what one client may do: a user at one address' },
  ),
  ...processSettings,
};
