import { AsyncLocalStorage } from 'node:async_hooks';
import type { Call } from './call.ts';

const storage = new AsyncLocalStorage<Call>();

/**
 * The call that the running code works for, so that deadline, trace and tenant go on without being passed by hand.
 * Only the rim uses this: a server engine runs a handler inside it, a client reads it when it was given no call.
 */
export function currentCall(): Call | undefined {
  return storage.getStore();
}

/** Runs `work`, and everything that it starts, for `call`. */
export function runInCall<T>(call: Call, work: () => T): T {
  return storage.run(call, work);
}

/**
 * Makes `call` the one that the running code works for, from here to the end of the callback of the runtime that it runs
 * in, and everything that is started on the way. Only for a rim that is told of the work, but does not start it itself: a
 * listener that stands before another one's. Otherwise take {@link runInCall}.
 */
export function enterCall(call: Call): void {
  storage.enterWith(call);
}
