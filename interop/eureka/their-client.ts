import type { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

/** An instance as `eureka-js-client` holds it. */
export interface TheirInstance {
  readonly instanceId: string;
  readonly hostName: string;
  readonly port: { readonly $: number };
  readonly status: string;
}

/** What of the npm package `eureka-js-client` 4.5.0, which has no types, is used here. */
export interface EurekaClient extends EventEmitter {
  /** Their timer. */
  readonly heartbeat: NodeJS.Timeout;
  start(done: (error?: Error | null) => void): void;
  stop(done: (error?: Error | null) => void): void;
  fetchRegistry(done: (error?: Error | null) => void): void;
  getInstancesByAppId(app: string): readonly TheirInstance[];
  getInstancesByVipAddress(vip: string): readonly TheirInstance[];
}

const { Eureka } = createRequire(import.meta.url)('eureka-js-client') as {
  Eureka: new (config: unknown) => EurekaClient;
};

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A client of theirs; what is not said is its default, but for its log and its patience. */
export function theirClient(config: {
  readonly instance: Readonly<Record<string, unknown>>;
  readonly eureka: Readonly<Record<string, unknown>>;
  readonly [other: string]: unknown;
}): EurekaClient {
  const { instance, eureka, ...other } = config;
  return new Eureka({
    logger: silent,
    ...other,
    instance: {
      ipAddr: '127.0.0.1',
      dataCenterInfo: { '@class': 'com.netflix.appinfo.InstanceInfo$DefaultDataCenterInfo', name: 'MyOwn' },
      ...instance,
    },
    eureka: {
      host: '127.0.0.1',
      servicePath: '/eureka/apps/',
      heartbeatInterval: 50,
      registryFetchInterval: 3_600_000,
      maxRetries: 0,
      ...eureka,
    },
  });
}

/** A method of theirs that ends with a callback. */
export function done(run: (callback: (error?: Error | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => run((error) => (error ? reject(error) : resolve())));
}
