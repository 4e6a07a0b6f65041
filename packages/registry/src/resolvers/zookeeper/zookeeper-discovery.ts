import { FlotillaError, formatHostPort, nullLogger, resolveDurations, Secret } from '@flotilla/core';
import { ZooKeeperClient } from '../../engines/zookeeper/client.ts';
import { Contact } from '../contact.ts';
import { openDiscovery, type SourceDiscovery, type SourceNeeds } from '../discovery.ts';
import { pemFiles, pemParams } from '../engines/pem-files.ts';
import { treeSource } from '../entry-table.ts';
import { sourceLog } from '../log.ts';
import { sourceRegistrar } from '../registrar.ts';
import { sharedResolver } from '../shared-resolver.ts';
import { choiceParam, splitSourceUrl, userOf, wholeNumberParam } from '../source-url.ts';
import { curatorPlace } from './curator-place.ts';
import { ZooKeeperTree } from './zookeeper-tree.ts';

/** What {@link zookeeperDiscovery} is told. */
export interface ZooKeeperDiscoveryOptions extends SourceNeeds {
  /** Instances are listed this long after a crash of their process; the servers may allow less or more. Default 10,000. */
  readonly sessionTimeoutMs?: number;
  /** One request takes no longer. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** All nodes are read again after this, ± 20 %, whatever the watch said. Default 600,000. */
  readonly relistEveryMs?: number;
  /** The same at servers before 3.6, which have no lasting watches. Default 10,000. */
  readonly pollEveryMs?: number;
}

export const zookeeperDiscoveryDefaults: Readonly<
  Required<Pick<ZooKeeperDiscoveryOptions, 'sessionTimeoutMs' | 'requestTimeoutMs' | 'relistEveryMs' | 'pollEveryMs'>>
> = Object.freeze({
  sessionTimeoutMs: 10_000, // Spring's 60 s leave a crashed instance listed for a minute
  requestTimeoutMs: 5_000,
  relistEveryMs: 600_000,
  pollEveryMs: 10_000,
});

const example = 'zookeeper://127.0.0.1:2181/services';
const params = ['sessionTimeoutMs', 'tls', ...pemParams] as const;

interface Server {
  readonly address: string;
  readonly root: string;
  readonly user: ReturnType<typeof userOf>['user'];
  readonly params: ReadonlyMap<string, string>;
}

/**
 * Instances in ZooKeeper as Curator and Spring Cloud ZooKeeper lay them out:
 * `zookeeper://user:password@a:2181/services`, one url for each server. Path, user and parameters are those of the first.
 *
 * | | means | default |
 * |---|---|---|
 * | path | `spring.cloud.zookeeper.discovery.root` | `/services` |
 * | `sessionTimeoutMs` | how long an instance is listed after a crash | 10,000 |
 * | `tls` | `true`: the connection is encrypted | `true` with one of the following |
 * | `ca-file`, `cert-file`, `key-file` | PEM | what Node trusts; none |
 *
 * With a user, nodes are made so that only that user may change them and nobody else may read them: leave it out unless all
 * of the fleet has it.
 * @throws FlotillaError CONFIG_INVALID
 */
export function zookeeperDiscovery(options: ZooKeeperDiscoveryOptions): SourceDiscovery {
  const { clock, random, logger = nullLogger } = options;
  const servers = options.urls.map(readServer);
  const [first] = servers;
  if (!first)
    throw new FlotillaError('CONFIG_INVALID', `registry: ZooKeeper needs at least one url, such as ${example}`);
  const times = resolveDurations(options, zookeeperDiscoveryDefaults);
  const { requestTimeoutMs, relistEveryMs, pollEveryMs } = times;
  const log = sourceLog(logger, `zookeeper ${servers.map(({ address }) => address).join(', ')}${first.root}`);
  const contact = new Contact(log);
  const client = clientOf(first, servers, { ...options, ...times }, (event) => {
    if (event.kind === 'interrupted') contact.failed(event.reason);
    if (event.kind === 'connected') contact.worked();
    if (event.kind === 'connected' && event.isNew) kept.renewNow();
  });
  let begun = false;
  const begin = (): void => {
    if (begun) return;
    begun = true;
    client.connect(requestTimeoutMs).catch((thrown) => contact.failed(thrown)); // it goes on trying
  };
  const tree = new ZooKeeperTree({
    begin,
    clock,
    random,
    client,
    contact,
    root: first.root,
    relistEveryMs,
    pollEveryMs,
  });
  const source = treeSource(tree, clock);
  const shared = sharedResolver(source, log);
  const kept = sourceRegistrar(curatorPlace(client, first.root, begin), { clock, random, log, requestTimeoutMs });
  return openDiscovery(shared.resolver, kept.registrar, async () => {
    shared.close();
    kept.close();
    await source.close();
    await client.close();
  });
}

function clientOf(
  first: Server,
  servers: readonly Server[],
  options: ZooKeeperDiscoveryOptions & typeof zookeeperDiscoveryDefaults,
  onSession: ConstructorParameters<typeof ZooKeeperClient>[0]['onSession'],
): ZooKeeperClient {
  const { clock, random } = options;
  const tls =
    pemFiles(first.params) ?? (choiceParam(first.params, 'tls', ['true', 'false']) === 'true' ? {} : undefined);
  return new ZooKeeperClient({
    servers: servers.map(({ address }) => address),
    clock,
    random,
    sessionTimeoutMs: wholeNumberParam(first.params, 'sessionTimeoutMs', [1_000, 600_000]) ?? options.sessionTimeoutMs,
    requestTimeoutMs: options.requestTimeoutMs,
    ...(first.user === undefined
      ? undefined
      : { user: { name: first.user.name, password: new Secret(first.user.password.reveal()) } }),
    ...(tls === undefined ? undefined : { tls }),
    ...(onSession === undefined ? undefined : { onSession }),
  });
}

/** @throws FlotillaError CONFIG_INVALID without repeating what may be a password */
function readServer(text: string): Server {
  const { rest, params: given } = splitSourceUrl(text, params);
  const url = URL.parse(`tcp:${rest}`);
  const root = url?.pathname.replace(/\/$/, '') ?? '';
  if (!url || url.hostname === '' || url.hash !== '' || !/^(?:\/[A-Za-z0-9._-]+)*$/.test(root)) {
    throw new FlotillaError(
      'CONFIG_INVALID',
      `registry: "${rest.slice(rest.lastIndexOf('@') + 1).slice(0, 200)}" is no server of ZooKeeper; write ${example}`,
    );
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const address = formatHostPort({ host, port: url.port === '' ? 2_181 : Number(url.port) });
  const whole = /^\/\/[^/]*$/.test(rest); // no path at all
  return { address, root: whole ? '/services' : root, user: userOf(url).user, params: given };
}
