import { type Call, compose, type Filter, type Gate, type Handler } from '@flotilla/core';

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

  /**
   * A gate made of others, which are asked one after the other: those that `make` gives, once per configuration.
   * @param hearsBegin whether they are to be told when an answer begins
   */
  gate(make: () => readonly Gate[], hearsBegin = false): Gate {
    let gates = make();
    let generation = this.#generation;
    return {
      enter: (call, now) => {
        if (generation !== this.#generation) {
          gates = make();
          generation = this.#generation;
        }
        return enterAll(gates, 0, call, now);
      },
      ...(hearsBegin && {
        begun: (call: Call, well: boolean) => {
          for (const gate of gates) gate.begun?.(call, well);
        },
      }),
    };
  }

  /** From here on every chain is asked for anew. */
  rebuild(): void {
    this.#generation += 1;
  }
}

function enterAll(gates: readonly Gate[], from: number, call: Call, now: number): Promise<void> | undefined {
  for (let at = from; at < gates.length; at++) {
    const waiting = gates[at]?.enter(call, now);
    if (waiting) return enterRest(waiting, gates, at + 1, call);
  }
  return undefined;
}

function enterRest(waiting: Promise<void>, gates: readonly Gate[], from: number, call: Call): Promise<void> {
  return waiting.then(() => enterAll(gates, from, call, call.clock.now()));
}
