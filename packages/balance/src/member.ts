import { type Address, type Endpoint, type EndpointStatus, formatHostPort, type Instance } from '@flotilla/core';
import type { Health } from './outlier.ts';
import type { Candidate } from './pick.ts';

/** One instance with its endpoint and what is known of its health. It stays the same while id and address do. */
export class Member<Req, Res> implements Candidate {
  readonly key: string;
  readonly address: Address;
  instance: Instance;
  health: Health;
  calls = 0;
  failures = 0;
  readonly #connect: (address: Address, instance: Instance) => Endpoint<Req, Res>;
  #endpoint: Endpoint<Req, Res> | undefined;

  constructor(
    instance: Instance,
    address: Address,
    health: Health,
    connect: (address: Address, instance: Instance) => Endpoint<Req, Res>,
  ) {
    this.key = memberKey(instance, address);
    this.address = address;
    this.instance = instance;
    this.health = health;
    this.#connect = connect;
  }

  /** Made on first use: of a thousand instances many are never called. */
  get endpoint(): Endpoint<Req, Res> {
    this.#endpoint ??= this.#connect(this.address, this.instance);
    return this.#endpoint;
  }

  get status(): EndpointStatus {
    return this.#endpoint?.status ?? 'open';
  }

  get load(): number {
    return this.#endpoint?.load ?? 0;
  }

  /** What a registry says is not always a weight: anything that is none counts as 0. */
  get weight(): number {
    const { weight } = this.instance;
    return weight > 0 && weight < Infinity ? weight : 0;
  }

  async close(): Promise<void> {
    await this.#endpoint?.close();
  }
}

/** A new process at the same address has a new id; the same id at another address is another place. */
export function memberKey(instance: Instance, address: Address): string {
  return `${instance.id} ${address.protocol}://${formatHostPort(address)}`;
}
