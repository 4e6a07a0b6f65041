import { group, integer, list, map, oneOf, secret, text, urls } from '@flotilla/config';
import type { Secret } from '@flotilla/core';
import { type ProcessConfig, processSettings, type SettingsOf } from 'flotilla/settings';

/** Somebody who may use the registry. */
interface UserConfig {
  readonly password: Secret;
  readonly role: 'instance' | 'operator' | 'peer' | 'reader';
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
      password: secret(),
      role: oneOf(['instance', 'operator', 'peer', 'reader'], { default: 'instance' }),
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
  ...processSettings,
};
