import type { StoredState } from '../lease/stored-state.ts';
import type { RegistryStore } from '../server/store.ts';

/** A store that lasts as long as the object: a registry made anew with it starts from what the last one saved. */
export function memoryStore(): RegistryStore {
  let stored: StoredState | undefined;
  return {
    load: async () => stored && structuredClone(stored),
    save: async (state) => {
      stored = structuredClone(state);
    },
    close: async () => {},
  } satisfies RegistryStore;
}
