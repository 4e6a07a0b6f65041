import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
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
 * Runs the work of many calls, one after the other, each for its call. Around each of them is what was around the place where
 * the scope was made: nothing of one call is seen by the next. For whoever is told of many calls by one callback, such as
 * the reader of a connection: it costs a fifth of {@link runInCall}, which copies what is around for each call, and once
 * more behind it.
 */
export class CallScope {
  readonly #around = new AsyncResource('FlotillaCalls');

  /** Runs `work(on)`, and everything that it starts, for `call`. No function has to be made for it. */
  run<On, T>(call: Call, work: (on: On) => T, on: On): T {
    return this.#around.runInAsyncScope(runEntered<On, T>, undefined, call, work, on);
  }
}

/** What is entered lasts until the scope around it ends. */
function runEntered<On, T>(call: Call, work: (on: On) => T, on: On): T {
  storage.enterWith(call);
  return work(on);
}

/**
 * Makes `call` the one that the running code works for, from here to the end of the callback of the runtime that it runs
 * in, and everything that is started on the way. Only for a rim that is told of the work, but does not start it itself: a
 * listener that stands before another one's. Otherwise take {@link runInCall}.
 */
export function enterCall(call: Call): void {
  storage.enterWith(call);
}
