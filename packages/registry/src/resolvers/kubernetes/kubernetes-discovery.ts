import { type Clock, FlotillaError, isProtocol, nullLogger, resolveDurations, Secret } from '@flotilla/core';
import type { HttpNetwork } from '@flotilla/http';
import { openDiscovery, type SourceDiscovery, type SourceNeeds } from '../discovery.ts';
import { readText } from '../engines/pem-files.ts';
import { type HostFields, HttpHosts } from '../http-hosts.ts';
import { sourceLog } from '../log.ts';
import { silentRegistrar } from '../registrar.ts';
import { sharedResolver } from '../shared-resolver.ts';
import { basicAuthorization, onlyUrl, readHttpSourceUrl, splitSourceUrl } from '../source-url.ts';
import type { ClusterCredentials } from './credentials.ts';
import { inCluster, tokenFile } from './engines/service-account.ts';
import { KubernetesSource } from './kubernetes-source.ts';

/** What {@link kubernetesDiscovery} is told. */
export interface KubernetesDiscoveryOptions extends SourceNeeds {
  readonly network: HttpNetwork;
  /** Where `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` are looked for. Default: the process's own. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The folder of the service account. Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly serviceAccountFolder?: string;
  /** The API server ends a watch after this, ± 20 %. Default 300,000. */
  readonly watchMs?: number;
  /** A watch without a byte for this long is given up; bookmarks come every minute. Default 150,000. */
  readonly silenceMs?: number;
  /** Any other request. Default 10,000. */
  readonly requestTimeoutMs?: number;
}

export const kubernetesDiscoveryDefaults: Readonly<
  Required<Pick<KubernetesDiscoveryOptions, 'watchMs' | 'silenceMs' | 'requestTimeoutMs'>>
> = Object.freeze({ watchMs: 300_000, silenceMs: 150_000, requestTimeoutMs: 10_000 });

const example = 'kubernetes: or kubernetes+https://HOST:PORT?token-file=/path';
const params = ['namespace', 'port', 'protocol', 'zone', 'token-file', 'ca-file'] as const;

/**
 * Instances that Kubernetes lists in EndpointSlices: `kubernetes:` in the cluster that this process runs in,
 * `kubernetes+https://HOST:PORT` elsewhere. A service is called by its name, or `name.namespace`. Nothing is registered:
 * Kubernetes lists the pods of a service itself, by their readiness.
 *
 * | parameter | means | default |
 * |---|---|---|
 * | `namespace` | of services whose name does not say | the pod's, else `default` |
 * | `port` | the name of the one port that is called | all whose protocol is known, or the only one |
 * | `protocol` | of a port that does not say | `http` |
 * | `zone` | ours: endpoints with topology hints are taken by them | hints are not looked at |
 * | `token-file`, `ca-file` | credentials and trust | the pod's service account |
 *
 * @throws FlotillaError CONFIG_INVALID
 */
export function kubernetesDiscovery(options: KubernetesDiscoveryOptions): SourceDiscovery {
  const { clock, random, network, logger = nullLogger } = options;
  const url = onlyUrl(options.urls, 'kubernetes');
  const cluster = clusterOf(url, options);
  const { label, target, authority, prefix, params: given } = cluster.server;
  const protocol = given.get('protocol') ?? 'http';
  if (!isProtocol(protocol)) throw new FlotillaError('CONFIG_INVALID', `registry: "${protocol}" is no protocol`);
  const log = sourceLog(logger, `kubernetes ${label}`);
  const host = { label, target: { ...target, ...cluster.trust }, authority, prefix, headers: cluster.headers };
  const hosts = new HttpHosts([host], network, { clock, random });
  const [portName, zone] = [given.get('port'), given.get('zone')];
  const source = new KubernetesSource({
    clock,
    random,
    hosts,
    log,
    namespace: given.get('namespace') ?? cluster.namespace,
    choice: { protocol, ...(portName === undefined ? undefined : { portName }) },
    ...(zone === undefined ? undefined : { zone }),
    ...resolveDurations(options, kubernetesDiscoveryDefaults),
  });
  const shared = sharedResolver(source, log);
  const registrar = silentRegistrar(log, 'Kubernetes lists the pods of a service itself, by their readiness');
  return openDiscovery(shared.resolver, registrar, () => {
    shared.close();
    return hosts.close();
  });
}

interface Cluster {
  readonly server: ReturnType<typeof readHttpSourceUrl>;
  readonly trust: { readonly ca?: string };
  readonly namespace: string;
  readonly headers: () => Promise<HostFields>;
}

function clusterOf(
  url: string,
  { clock, env = process.env, serviceAccountFolder }: KubernetesDiscoveryOptions,
): Cluster {
  if (/^kubernetes:/i.test(url)) {
    const { rest, params: given } = splitSourceUrl(url, params);
    if (rest !== '' && rest !== '//') throw new FlotillaError('CONFIG_INVALID', `registry: write ${example}`);
    const pod = inCluster(env, clock, serviceAccountFolder);
    const server = { ...readHttpSourceUrl(pod.url, example, []), params: given };
    const credentials = credentialsOf(given, clock) ?? pod.credentials;
    return { server, namespace: pod.namespace, trust: trustOf(given, pod.ca), headers: bearer(credentials) };
  }
  const server = readHttpSourceUrl(url, example, params);
  const { user } = server;
  const credentials = credentialsOf(server.params, clock);
  const headers = credentials
    ? bearer(credentials)
    : async (): Promise<HostFields> => (user ? [['authorization', basicAuthorization(user)]] : []);
  return { server, namespace: 'default', trust: trustOf(server.params, undefined), headers };
}

function credentialsOf(given: ReadonlyMap<string, string>, clock: Clock): ClusterCredentials | undefined {
  const path = given.get('token-file');
  return path === undefined ? undefined : tokenFile(path, clock);
}

function trustOf(given: ReadonlyMap<string, string>, own: string | undefined): { ca?: string } {
  const path = given.get('ca-file');
  const ca = path === undefined ? own : readText(path);
  return ca === undefined ? {} : { ca };
}

function bearer(credentials: ClusterCredentials): () => Promise<HostFields> {
  return async () => {
    const token = new Secret(await credentials.token());
    return token.reveal() === '' ? [] : [['authorization', `Bearer ${token.reveal()}`]];
  };
}
