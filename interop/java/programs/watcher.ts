import { EventEmitter, once } from 'node:events';
import { type Instance, systemClock, systemRandom } from '@flotilla/core';
import { nodeNetwork } from '@flotilla/http/node';
import { registryClient } from '@flotilla/registry/client';
import { within } from './deadline.ts';

/** Follows a service at our registry, and remembers every set of instances that it was told. */
export class Watcher {
  /** Oldest first. */
  readonly told: (readonly Instance[])[] = [];
  readonly #news = new EventEmitter();
  readonly #client: ReturnType<typeof registryClient>;
  readonly #service: string;

  constructor(registry: string, service: string) {
    const needs = { clock: systemClock, random: systemRandom };
    this.#service = service;
    this.#client = registryClient({ urls: [registry], network: nodeNetwork(needs), ...needs });
    this.#client.resolver.watch({ service }, ({ instances }) => {
      this.told.push(instances);
      this.#news.emit('told');
    });
  }

  /** Resolves with the first set that fits, from the one that counts now on. */
  sees(what: string, fits: (instances: readonly Instance[]) => boolean): Promise<readonly Instance[]> {
    const look = async (): Promise<readonly Instance[]> => {
      for (;;) {
        const now = this.told.at(-1);
        if (now && fits(now)) return now;
        await once(this.#news, 'told');
      }
    };
    return within(`${this.#service}: ${what}`, look());
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
