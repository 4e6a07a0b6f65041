import type { Discovery, DiscoveryNeeds } from './discovery.ts';
import { kindOf, loadKind, type RegistryKind } from './kinds.ts';
import { severalRegistries } from './several.ts';

/**
 * Connects to every registry that the URLs name, and loads the client of its kind only then.
 *
 * URLs of one kind are one registry, the preferred address first and the others for failover. Another kind is another
 * registry, and so is another name after `#`: then the process registers in all of them, and what they know is merged.
 *
 * ```ts
 * connectDiscovery(['http://a:8761', 'http://b:8761'], needs);                     // one registry, two addresses
 * connectDiscovery(['http://a:8761', 'eureka+http://old:8761/eureka'], needs);     // ours and a Eureka server, merged
 * connectDiscovery(['http://a:8761#east', 'http://b:8761#west'], needs);           // two of ours, merged
 * ```
 *
 * @throws FlotillaError CONFIG_INVALID for a scheme that nothing here speaks, or whose package is not installed.
 */
export async function connectDiscovery(urls: readonly string[], needs: DiscoveryNeeds): Promise<Discovery> {
  const registries = registriesOf(urls);
  const connects = await Promise.all(registries.map(({ kind }) => loadKind(kind)));
  const connected: Discovery[] = [];
  try {
    for (const [index, { urls: own }] of registries.entries()) {
      const connect = connects[index];
      if (connect) connected.push(connect(own, needs));
    }
  } catch (thrown) {
    await Promise.all(connected.map((discovery) => discovery.close()));
    throw thrown;
  }
  const [first, second] = connected;
  return first && !second ? first : severalRegistries(connected, needs.logger);
}

interface NamedRegistry {
  readonly kind: RegistryKind;
  /** Without their name. */
  readonly urls: readonly string[];
}

/** In the order in which they are first named. */
function registriesOf(urls: readonly string[]): readonly NamedRegistry[] {
  const named = Map.groupBy(urls, (url) => `${kindOf(url).name}#${nameIn(url)}`);
  return Array.from(named.values(), (own) => ({
    kind: kindOf(own[0] ?? ''),
    urls: own.map((url) => url.split('#', 1)[0] ?? ''),
  }));
}

function nameIn(url: string): string {
  const hash = url.indexOf('#');
  return hash < 0 ? '' : url.slice(hash + 1);
}
