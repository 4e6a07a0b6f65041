import {
  type ContractRef,
  FlotillaError,
  formatTarget,
  type Instance,
  type InstanceSet,
  type Target,
  type Timer,
  type Watch,
} from '@flotilla/core';
import type { AnyContract } from '@flotilla/rpc';
import { type ConnectedClient, connectClient } from '../client.ts';
import { type GenericClientNeeds, genericClientDefaults } from './needs.ts';

/** Targets that are followed, and forms of contracts that are connected, at most; those longest unused give way. */
const maxTargets = 64;

interface Followed {
  readonly watch: Watch;
  readonly known: InstanceSet | undefined;
  /** Called with each set until they have what they wait for. */
  readonly waiting: Set<(set: InstanceSet) => void>;
  /** By name, version and fingerprint of the contract. */
  readonly clients: Map<string, Promise<NamedClient>>;
}

/** A client, and the contract that it is of. */
interface NamedClient extends ConnectedClient<AnyContract> {
  readonly contract: AnyContract;
}

/** The services that a generic client has called, with their clients. */
export class Services {
  readonly #needs: GenericClientNeeds;
  /** Those longest unused first. */
  readonly #followed = new Map<string, Followed>();
  /** Clients that are giving up their connections. */
  readonly #leaving = new Set<Promise<void>>();

  constructor(needs: GenericClientNeeds) {
    this.#needs = needs;
  }

  /**
   * The instances of a target: as soon as `enough` says so, or as soon as it is known who there is.
   * @throws FlotillaError NO_INSTANCE when the registry does not answer in time
   */
  instances(target: Target, enough: (set: InstanceSet) => boolean): Promise<readonly Instance[]> {
    const followed = this.#follow(target);
    const { clock, lookupTimeoutMs, warmingWaitMs } = { ...genericClientDefaults, ...this.#needs };
    return new Promise((resolve, reject) => {
      let warm: Timer | undefined;
      const found = (instances: readonly Instance[]): void => {
        followed.waiting.delete(hear);
        late.cancel();
        warm?.cancel();
        resolve(instances);
      };
      const hear = (set: InstanceSet): void => {
        if (enough(set) || !set.warming) found(set.instances);
        else warm ??= clock.setTimer(warmingWaitMs, () => found(followed.known?.instances ?? []));
      };
      const late = clock.setTimer(lookupTimeoutMs, () => {
        followed.waiting.delete(hear);
        if (followed.known) resolve(followed.known.instances);
        else
          reject(
            new FlotillaError(
              'NO_INSTANCE',
              `who serves ${formatTarget(target)} is not known: the registry did not answer within ${lookupTimeoutMs} ms; is it reachable?`,
            ),
          );
      });
      followed.waiting.add(hear);
      if (followed.known) hear(followed.known);
    });
  }

  /**
   * A client of a contract in one form. The contract is made once.
   * @param contract makes it
   */
  client(target: Target, ref: ContractRef, contract: () => Promise<AnyContract>): Promise<NamedClient> {
    const { clients } = this.#follow(target);
    const key = `${ref.name}@${ref.version}:${ref.hash}`;
    const known = clients.get(key);
    if (known) return known;
    const made = this.#connect(target, contract);
    clients.set(key, made);
    made.catch(() => clients.delete(key)); // the next call asks again
    const [oldest] = clients;
    if (oldest && clients.size > maxTargets) {
      clients.delete(oldest[0]);
      this.#leave([oldest[1]]);
    }
    return made;
  }

  async close(): Promise<void> {
    for (const followed of this.#followed.values()) this.#end(followed);
    this.#followed.clear();
    await Promise.all(this.#leaving);
  }

  #follow(target: Target): Followed {
    const name = formatTarget(target);
    const before = this.#followed.get(name);
    this.#followed.delete(name);
    const followed = before ?? this.#begin(target);
    this.#followed.set(name, followed);
    const [oldest] = this.#followed;
    if (oldest && this.#followed.size > maxTargets) {
      this.#followed.delete(oldest[0]);
      this.#end(oldest[1]);
    }
    return followed;
  }

  #begin(target: Target): Followed {
    let known: InstanceSet | undefined; // a resolver may tell what it knows at once
    const waiting: Followed['waiting'] = new Set();
    const followed: Followed = {
      get known() {
        return known;
      },
      waiting,
      clients: new Map(),
      watch: this.#needs.resolver.watch(target, (set) => {
        known = set;
        for (const hear of [...waiting]) hear(set);
      }),
    };
    return followed;
  }

  async #connect(target: Target, contract: () => Promise<AnyContract>): Promise<NamedClient> {
    const service = 'service' in target ? { service: target.service } : undefined;
    const made = await contract();
    return { contract: made, ...connectClient(made, { ...this.#needs.options, ...service }, this.#needs) };
  }

  #end({ watch, clients }: Followed): void {
    watch.close();
    this.#leave([...clients.values()]);
  }

  #leave(clients: readonly Promise<NamedClient>[]): void {
    for (const client of clients) {
      const closed = client.then(
        ({ close }) => close(),
        () => {},
      ); // one that could not be made has nothing to close
      const left = closed.finally(() => this.#leaving.delete(left));
      this.#leaving.add(left);
    }
  }
}
