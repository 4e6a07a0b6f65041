import { defaultGroup, type Identity, type Instance, isProtocol, type Json } from '@flotilla/core';
import { flag, textOr } from './bag.ts';
import { isFact } from './parameters.ts';
import { javaNameOf, pathMembers, pathOf, serviceOf } from './service-name.ts';

type Entry = readonly [name: string, text: string];
type Bag = { readonly [member: string]: Json };
type Texts = ReadonlyMap<string, string>;

/** What an interface-level registration is filed under (Dubbo, `NacosServiceName`); other categories go to the bag. */
const usualCategory = 'providers';

/**
 * The name under which Dubbo files an interface-level registration: `category:interface:version:group`, empty parts
 * kept, `___` for `$`. Undefined when the metadata is not that of one.
 */
export function providerNameOf(metadata: Texts): string | undefined {
  const [category, javaName] = [metadata.get('category'), metadata.get('interface')];
  if (!category || !javaName || !isProtocol(metadata.get('protocol') ?? '') || !metadata.has('path')) return undefined;
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

/** The entries that say identity and address of an interface-level registration. */
export function providerFacts({ identity: { service, group, version }, addresses }: Instance, bag: Bag): Entry[] {
  const javaName = javaNameOf(service, bag['inner'] === true);
  const facts: Entry[] = [
    ['category', textOr(bag['category'], usualCategory, (text) => text !== '')],
    ['interface', javaName],
    ['path', pathOf(bag, javaName)],
    ['protocol', addresses[0]?.protocol ?? 'dubbo'],
  ];
  if (group !== defaultGroup) facts.push(['group', group]);
  if (version !== '') facts.push(['version', version]);
  return facts;
}

/** What the bag keeps of the metadata of an interface-level registration. */
export function providerMembers(metadata: Texts): Readonly<Record<string, Json | undefined>> {
  const [javaName, path, category] = [metadata.get('interface') ?? '', metadata.get('path'), metadata.get('category')];
  return {
    provider: true,
    category: category === usualCategory ? undefined : category,
    ...pathMembers(path ?? '', javaName),
    inner: flag(serviceOf(javaName).inner),
  };
}
