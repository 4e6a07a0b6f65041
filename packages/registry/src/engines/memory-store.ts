import { StateReplay, type StoredState } from '../lease/stored-state.ts';
import type { RegistryStore } from '../server/store.ts';

/** A store that lasts as long as the object: a registry made anew with it starts from what the last one kept. */
export function memoryStore(): RegistryStore {
  let replay: StateReplay | undefined;
  return {
    load: async () => replay && structuredClone(replay.result()),
    append(change) {
      replay ??= new StateReplay();
      replay.apply(structuredClone(change));
    },
    flush: async () => {},
    crowded: false,
    async save({ revision, leases, tombstones }) {
      const state: StoredState = { revision, leases: [...leases], tombstones: [...tombstones] };
      replay = new StateReplay(structuredClone(state));
    },
    close: async () => {},
  } satisfies RegistryStore;
}
