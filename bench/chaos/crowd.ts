import { type Instance, identity, type Registration, systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from '@flotilla/http/node';
import { type RegistryClient, registryClient } from '@flotilla/registry/client';

/** Short, so that a scenario is over in seconds: what it shows does not depend on it. */
export const terms = Object.freeze({ renewEveryMs: 2_000, lastsMs: 8_000 });
/** Instances that one process keeps registered. */
const perClient = 25;

/** A process with several instances, and a caller that follows them all. */
interface Party {
  readonly client: RegistryClient;
  readonly registrations: Map<string, Registration>;
  readonly close: () => Promise<void>;
}

/** What a caller saw. */
export interface Seen {
  /** The most instances at once. */
  most: number;
  /** The fewest after that. */
  fewest: number;
  now: number;
}

/** Instances of one service as their own processes keep them, each group with registries in an order of its own. */
export class Crowd {
  readonly #service: string;
  readonly #urls: readonly string[];
  readonly #parties: Party[] = [];
  readonly #callers: { readonly client: RegistryClient; readonly seen: Seen }[] = [];
  #made = 0;

  constructor(service: string, urls: readonly string[]) {
    this.#service = service;
    this.#urls = urls;
  }

  /** Ids of everybody who should be listed. */
  get ids(): string[] {
    return this.#parties.flatMap(({ registrations }) => [...registrations.keys()]).sort();
  }

  /** What each caller saw. */
  get seen(): readonly Seen[] {
    return this.#callers.map(({ seen }) => seen);
  }

  /** Registers so many more; resolves when registries acknowledged them. */
  async join(count: number): Promise<void> {
    const announced: Promise<void>[] = [];
    for (let left = count; left > 0; left -= perClient) {
      const party = this.#party();
      this.#parties.push(party);
      for (let n = 0; n < Math.min(left, perClient); n++) {
        const instance = anInstance(this.#service, this.#made++);
        const registration = party.client.registrar.register(instance);
        party.registrations.set(instance.id, registration);
        announced.push(registration.announced);
      }
    }
    await Promise.all(announced);
  }

  /** So many callers follow the service. */
  watch(count: number): void {
    for (let n = 0; n < count; n++) {
      const { client } = this.#party();
      const seen: Seen = { most: 0, fewest: Infinity, now: 0 };
      client.resolver.watch({ service: this.#service }, ({ instances }) => {
        seen.now = instances.length;
        if (instances.length >= seen.most) {
          seen.most = instances.length;
          seen.fewest = Infinity;
        }
        seen.fewest = Math.min(seen.fewest, instances.length);
      });
      this.#callers.push({ client, seen });
    }
  }

  /** This share of the processes falls silent without a word. @returns the ids of their instances. */
  async silence(share: number): Promise<string[]> {
    const gone = this.#parties.splice(0, Math.ceil(this.#parties.length * share));
    await Promise.all(gone.map(({ close }) => close()));
    return gone.flatMap(({ registrations }) => [...registrations.keys()]);
  }

  /** So many leave well. */
  async leave(count: number): Promise<void> {
    const leaving = this.#parties.flatMap(({ registrations }) =>
      [...registrations].map((entry) => ({ entry, registrations })),
    );
    await Promise.all(
      leaving.slice(0, count).map(async ({ entry: [id, registration], registrations }) => {
        registrations.delete(id);
        await registration.deregister();
      }),
    );
  }

  async end(): Promise<void> {
    await Promise.all([
      ...this.#parties.map(({ close }) => close()),
      ...this.#callers.map(({ client }) => client.close()),
    ]);
  }

  #party(): Party {
    const [clock, random] = [systemClock, systemRandom];
    const shift = (this.#parties.length + this.#callers.length) % this.#urls.length;
    const urls = [...this.#urls.slice(shift), ...this.#urls.slice(0, shift)];
    const client = registryClient({ urls, network: nodeNetwork({ clock, random }), clock, random });
    return { client, registrations: new Map(), close: () => client.close() };
  }
}

export function anInstance(service: string, number: number): Instance {
  return {
    id: `${service}-${number}`,
    identity: identity(service),
    incarnation: Date.now(),
    addresses: [{ protocol: 'http', host: '10.0.0.1', port: 1_024 + (number % 60_000) }],
    contracts: [],
    status: 'up',
    weight: 1,
    lease: terms,
    revision: 0,
    metadata: {},
    bags: {},
  };
}
