import { type Clock, FlotillaError, type Random, type Secret } from '@flotilla/core';
import type { LeaseEngine } from '../shared/engine.ts';

/** What an engine is opened with, besides its URL. */
export interface OpenEngineOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** User of etcd, or of ZooKeeper's scheme `digest`. Both or none. */
  readonly user?: string | undefined;
  readonly password?: Secret | undefined;
  /** PEM, for `etcds:` and `zookeepers:`. */
  readonly tls?: {
    readonly ca?: string | Buffer | undefined;
    readonly cert?: string | Buffer | undefined;
    readonly key?: string | Buffer | undefined;
  };
}

/** What an engine's URL says. */
export interface EngineUrl {
  readonly kind: 'etcd' | 'zookeeper';
  readonly secure: boolean;
  /** `host:port`, one per member. */
  readonly hosts: readonly string[];
  /** Undefined: the engine's default. */
  readonly path: string | undefined;
}

const shape = /^(etcd|zookeeper)(s?):\/\/([^/]+)(\/.*)?$/;
const hostShape = /^(?:\[[0-9a-fA-F:.]{2,45}\]|[A-Za-z0-9._-]{1,253})(?::([0-9]{1,5}))?$/;
const pathShape = /^(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}){1,8}$/;

/**
 * Reads `etcd://host:2379,host2:2379/prefix`, `zookeeper://…`, or with TLS `etcds://…`, `zookeepers://…`. Ports may be left
 * out, and so may the path, below which the nodes of one registry keep everything.
 * @throws FlotillaError CONFIG_INVALID
 */
export function parseEngineUrl(text: string): EngineUrl {
  const [, kind, secure, authority = '', path] = shape.exec(text) ?? [];
  if (authority.includes('@'))
    throw wrong(text.replace(/\/\/[^/]*@/, '//…@'), 'user and password have settings of their own');
  if (kind !== 'etcd' && kind !== 'zookeeper')
    throw wrong(text, 'it looks like etcd://host:2379,host2:2379/prefix or zookeeper://host:2181/path');
  const port = kind === 'etcd' ? 2379 : 2181;
  const hosts = authority.split(',').map((host) => {
    const [, given] = hostShape.exec(host) ?? [undefined, '0'];
    if (given === '0' || Number(given ?? port) > 65_535) throw wrong(text, `"${host}" is no host with a port`);
    return given === undefined ? `${host}:${port}` : host;
  });
  if (path !== undefined && path !== '/' && !pathShape.test(path))
    throw wrong(text, 'its path is up to 8 names of letters, digits, ".", "_" and "-"');
  return { kind, secure: secure === 's', hosts, path: path === '/' ? undefined : path };
}

/**
 * The engine that a URL names; nothing is connected before a registry starts it. Loads the code for that engine alone.
 * @throws FlotillaError CONFIG_INVALID
 */
export async function openLeaseEngine(url: string, options: OpenEngineOptions): Promise<LeaseEngine> {
  const { kind, secure, hosts, path } = parseEngineUrl(url);
  const { clock, random, user, password, tls } = options;
  if (tls && !secure) throw wrong(url, `certificates are given, so its scheme has to be ${kind}s:`);
  if ((user === undefined) !== (password === undefined))
    throw wrong(url, 'it wants a user and a password, or none of both');
  if (kind === 'etcd') {
    const { etcdEngine } = await import('./etcd/index.ts');
    const endpoints = hosts.map((host) => `${secure ? 'https' : 'http'}://${host}`);
    return etcdEngine({ clock, random, endpoints, username: user, password, tls, prefix: path });
  }
  const { zookeeperEngine } = await import('./zookeeper/index.ts');
  const account = user !== undefined && password ? { name: user, password } : undefined;
  return zookeeperEngine({
    clock,
    random,
    servers: hosts,
    user: account,
    tls: secure ? (tls ?? {}) : undefined,
    root: path,
  });
}

function wrong(url: string, why: string): FlotillaError {
  return new FlotillaError('CONFIG_INVALID', `"${url}" is no engine of a registry: ${why}`);
}
