import { FlotillaError } from '@flotilla/core';
import type { Cluster } from './cluster.ts';
import type { PickExplanation } from './explain.ts';
import { layeredBalance, type PartialBalanceSettings } from './settings.ts';

/** What is configured for clients, as far as balancing goes: by service, `*` for all. */
export type BalanceByService = Readonly<
  Record<string, { readonly balance?: PartialBalanceSettings | undefined } | undefined>
>;

/** What of a cluster is asked for here. */
export type ExplainedCluster = Pick<Cluster<never, never>, 'configure' | 'explain'>;

interface Entry {
  readonly name: string;
  readonly cluster: ExplainedCluster;
  readonly code: PartialBalanceSettings;
}

/**
 * The clusters of a process: what the configuration says of them reaches them while they run, and they can be asked why
 * calls go where they go.
 */
export class Clusters {
  readonly #entries = new Set<Entry>();
  #configured: BalanceByService;

  constructor(configured: BalanceByService = {}) {
    this.#configured = configured;
  }

  /** What counts for a service: its code, then `clients.*`, then `clients.<name>`, value by value. */
  settingsFor(name: string, code: PartialBalanceSettings = {}): PartialBalanceSettings {
    return layeredBalance([code, entry(this.#configured, '*'), entry(this.#configured, name)]);
  }

  /** @returns takes it out again. */
  add(name: string, cluster: ExplainedCluster, code: PartialBalanceSettings = {}): () => void {
    const added = { name, cluster, code };
    this.#entries.add(added);
    return () => void this.#entries.delete(added);
  }

  /** Another configuration counts, from the next call on. */
  update(configured: BalanceByService): void {
    this.#configured = configured;
    for (const { name, cluster, code } of this.#entries) cluster.configure(this.settingsFor(name, code));
  }

  /**
   * Why calls go where they go, of one service or of all that are called.
   * @throws FlotillaError NO_ROUTE when this process does not call it.
   */
  explain(service: string | undefined): readonly PickExplanation[] {
    const explained = Array.from(this.#entries, ({ name, cluster }) => ({ name, explanation: cluster.explain() }));
    const asked = explained.filter(
      ({ name, explanation }) => service === undefined || name === service || explanation.services.includes(service),
    );
    if (service !== undefined && asked.length === 0) {
      const called = [...new Set(explained.map(({ name }) => `"${name}"`))].toSorted().join(', ');
      throw new FlotillaError('NO_ROUTE', `this process does not call "${service}"; it calls ${called || 'nobody'}`);
    }
    return asked.map(({ explanation }) => explanation);
  }
}

function entry(configured: BalanceByService, name: string): PartialBalanceSettings | undefined {
  return Object.hasOwn(configured, name) ? configured[name]?.balance : undefined;
}
