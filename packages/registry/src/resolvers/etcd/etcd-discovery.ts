import { FlotillaError, nullLogger, resolveDurations, Secret } from '@flotilla/core';
import { EtcdClient } from '../../engines/etcd/client.ts';
import { openDiscovery, type SourceDiscovery, type SourceNeeds } from '../discovery.ts';
import { pemFiles, pemParams } from '../engines/pem-files.ts';
import { treeSource } from '../entry-table.ts';
import { sourceLog } from '../log.ts';
import { sourceRegistrar } from '../registrar.ts';
import { sharedResolver } from '../shared-resolver.ts';
import { readHttpSourceUrl } from '../source-url.ts';
import { checkPrefix, etcdPlace } from './etcd-place.ts';
import { EtcdTree } from './etcd-tree.ts';

/** What {@link etcdDiscovery} is told. */
export interface EtcdDiscoveryOptions extends SourceNeeds {
  /** One request takes no longer. Default 5,000. */
  readonly requestTimeoutMs?: number;
  /** The whole list is read again after this, ± 20 %, whatever the watch said. Default 600,000. */
  readonly relistEveryMs?: number;
}

export const etcdDiscoveryDefaults: Readonly<
  Required<Pick<EtcdDiscoveryOptions, 'requestTimeoutMs' | 'relistEveryMs'>>
> = Object.freeze({ requestTimeoutMs: 5_000, relistEveryMs: 600_000 });

const example = 'etcd+http://127.0.0.1:2379';
const params = ['prefix', ...pemParams] as const;

/**
 * Instances in etcd, each under a lease: `etcd+http://user:password@a:2379`, one url for each member.
 *
 * | parameter (of the first url) | means | default |
 * |---|---|---|
 * | `prefix` | before every key; begins and ends with `/` | `/flotilla/services/` |
 * | `ca-file`, `cert-file`, `key-file` | PEM for `etcd+https` | what Node trusts; none |
 *
 * @throws FlotillaError CONFIG_INVALID
 */
export function etcdDiscovery(options: EtcdDiscoveryOptions): SourceDiscovery {
  const { clock, random, logger = nullLogger } = options;
  const urls = options.urls.map((url) => readHttpSourceUrl(url, example, params));
  const [first] = urls;
  if (!first) throw new FlotillaError('CONFIG_INVALID', `registry: etcd needs at least one url, such as ${example}`);
  const { requestTimeoutMs, relistEveryMs } = resolveDurations(options, etcdDiscoveryDefaults);
  const tls = pemFiles(first.params);
  const client = new EtcdClient({
    endpoints: urls.map(({ target, authority }) => `${target.protocol}://${authority}`),
    clock,
    random,
    requestTimeoutMs,
    ...(first.user === undefined
      ? undefined
      : { username: first.user.name, password: new Secret(first.user.password.reveal()) }),
    ...(tls === undefined ? undefined : { tls }),
  });
  const prefix = checkPrefix(first.params.get('prefix') ?? '/flotilla/services/');
  const log = sourceLog(logger, `etcd ${urls.map(({ authority }) => authority).join(', ')}`);
  const source = treeSource(new EtcdTree({ clock, random, client, log, prefix, relistEveryMs }), clock);
  const shared = sharedResolver(source, log);
  const kept = sourceRegistrar(etcdPlace(client, prefix), { clock, random, log, requestTimeoutMs });
  return openDiscovery(shared.resolver, kept.registrar, async () => {
    shared.close();
    kept.close();
    await source.close();
    client.close();
  });
}
