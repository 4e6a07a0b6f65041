import { type Call, compose, type Filter, type Handler } from '@flotilla/core';

/** Keys beyond this share the chain of the last one: names that a caller makes up must not fill the memory. */
const maxChains = 1_000;

/**
 * Chains of filters that are built anew when the configuration changes, while calls go through them. A call in hand goes on
 * in the chain in which it began; what outlives the chains (breakers, places, budgets) is kept elsewhere.
 */
export class LiveChains {
  #generation = 0;

  /**
   * A filter made of others: those that `make` gives for what a call is keyed by, asked once per key and configuration.
   */
  filter<Req, Res, Key>(
    keyOf: (request: Req, call: Call) => Key,
    make: (key: Key) => readonly Filter<Req, Res>[],
  ): Filter<Req, Res> {
    return (next) => {
      const chains = new Map<Key, Handler<Req, Res>>();
      let generation = this.#generation;
      return (request, call) => {
        if (generation !== this.#generation) {
          chains.clear();
          generation = this.#generation;
        }
        const key = keyOf(request, call);
        let chain = chains.get(key);
        if (!chain) {
          chain = compose(make(key), next);
          if (chains.size < maxChains) chains.set(key, chain);
        }
        return chain(request, call);
      };
    };
  }

  /** From here on every chain is asked for anew. */
  rebuild(): void {
    this.#generation += 1;
  }
}
