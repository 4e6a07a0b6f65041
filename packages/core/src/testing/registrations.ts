import type { Registration } from '../resolver.ts';

/** A registration that nobody hears of: announced at once, and everything said to it is in vain. */
export const unheard: Registration = Object.freeze({
  announced: Promise.resolve(),
  setStatus: async () => {},
  setWeight: async () => {},
  deregister: async () => {},
});
