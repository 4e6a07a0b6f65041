import { FlotillaError, nearest } from '@flotilla/core';
import type { CarriedContext } from '../../context/context-entry.ts';
import { contractHash } from '../../contract/index.ts';
import type { ServedOperation } from '../../server/served-operation.ts';

/** An operation at its route. */
export interface RoutedOperation<Entry> {
  readonly served: ServedOperation;
  /** Of its contract. */
  readonly hash: string;
  readonly entry: Entry;
}

/** Operations by their routes, `contract.operation`; one route may lead to several versions of a contract. */
export class ServedTable<Entry> {
  /** The newest version first. */
  readonly #routes = new Map<string, readonly RoutedOperation<Entry>[]>();

  constructor(operations: readonly ServedOperation[], entryOf: (served: ServedOperation) => Entry) {
    for (const served of operations) {
      const routed = { served, hash: contractHash(served.contract), entry: entryOf(served) };
      const versions = [...(this.#routes.get(served.name) ?? []), routed];
      this.#routes.set(
        served.name,
        versions.toSorted((a, b) => b.served.info.version - a.served.info.version),
      );
    }
  }

  /**
   * The operation that a caller means. A caller that names no version gets the newest one.
   * @throws FlotillaError NO_ROUTE
   */
  find(route: string, { contractVersion }: CarriedContext): RoutedOperation<Entry> {
    const versions = this.#routes.get(route);
    if (!versions) throw this.#unknown(route);
    const [newest] = versions;
    if (newest && (contractVersion === undefined || newest.served.info.version === contractVersion)) return newest;
    const meant = versions.find(({ served }) => served.info.version === contractVersion);
    if (meant) return meant;
    const known = versions.map(({ served }) => served.info.version).join(', ');
    throw new FlotillaError('NO_ROUTE', `"${route}" is served in version ${known}, not in version ${contractVersion}`);
  }

  #unknown(route: string): FlotillaError {
    if (route === '') {
      return new FlotillaError('NO_ROUTE', 'the request names no route: send a routing entry "contract.operation"');
    }
    const shown = route.slice(0, 100);
    const near = nearest(shown, [...this.#routes.keys()]);
    const hint = near === undefined ? '' : `; did you mean "${near}"?`;
    return new FlotillaError('NO_ROUTE', `no operation is served as "${shown}"${hint}`);
  }
}
