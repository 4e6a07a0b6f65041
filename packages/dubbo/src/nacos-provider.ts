import { defaultGroup, type Identity } from '@flotilla/core';
import { isFact } from './parameters.ts';
import { serviceOf } from './service-name.ts';

type Texts = ReadonlyMap<string, string>;

/** What an interface-level registration is filed under (Dubbo, `NacosServiceName`); other categories go to the bag. */
export const usualCategory = 'providers';

/**
 * The name under which Dubbo files an interface-level registration: `category:interface:version:group`, empty parts
 * kept, `___` for `$`. Undefined when the metadata is not that of one.
 */
export function providerNameOf(metadata: Texts): string | undefined {
  const [category, javaName] = [metadata.get('category'), metadata.get('interface')];
  if (!category || !javaName || !metadata.get('protocol') || metadata.get('path') === undefined) return undefined;
  const name = javaName.replaceAll('$', '___');
  return [category, name, metadata.get('version') ?? '', metadata.get('group') ?? ''].join(':');
}

/** The identity that the metadata of an interface-level registration gives. */
export function providerIdentity(metadata: Texts): Pick<Identity, 'service' | 'group' | 'version'> {
  return {
    service: serviceOf(metadata.get('interface') ?? '').service,
    group: metadata.get('group') ?? defaultGroup,
    version: metadata.get('version') ?? '',
  };
}

/** Whether an entry of an interface-level registration's metadata is read as something else than the owner's. */
export function isProviderFact(name: string, text: string): boolean {
  if (name === 'group') return text !== defaultGroup;
  if (name === 'weight') return isFact(name, text);
  return ['interface', 'version', 'protocol', 'path', 'category'].includes(name);
}
