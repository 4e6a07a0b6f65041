import { type Clock, FlotillaError, type Logger, type Random, type Store } from '@flotilla/core';
import { type IdempotencySettings, idempotency, type PolicyEvents } from '@flotilla/resilience';
import type { RememberedOperation, RememberOperation } from '@flotilla/rpc';
import { openStore } from '@flotilla/store';
import { createMemoryStore } from '@flotilla/store/memory';

/**
 * What a process without a store of its own remembers: commands that carry a key, of the last day or the last ten thousand.
 * A part of the heap that nobody notices.
 */
export const ownMemory: { readonly maxEntries: number; readonly maxBytes: number } = Object.freeze({
  maxEntries: 10_000,
  maxBytes: 16_777_216,
});

/** What opening a store needs of the process. */
export interface StoreRuntime {
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Opens the store that the configuration names. One that cannot be reached now is tried again, and is no error.
 * @throws FlotillaError CONFIG_INVALID, PACKAGE_MISSING
 */
export async function openConfiguredStore(url: string, { clock, random, logger }: StoreRuntime): Promise<Store> {
  if (url === 'memory:') return createMemoryStore({ ...ownMemory, clock, maxValueBytes: 1_048_576 });
  try {
    return await openStore(url, { clock, random, logger });
  } catch (thrown) {
    if (!(thrown instanceof RangeError)) throw thrown;
    throw new FlotillaError('CONFIG_INVALID', `store: ${thrown.message}`, { cause: thrown });
  }
}

/** What recognising commands needs. */
export interface CommandMemoryOptions {
  readonly store: Store;
  /** As it is configured now; the same object until it is configured anew. */
  readonly settings: () => IdempotencySettings;
  readonly events: PolicyEvents;
}

/** Recognises commands that come again under their key, as it is configured now and ever after. */
export function commandMemory(options: CommandMemoryOptions): RememberOperation {
  return (operation) => (next) => {
    let settings = options.settings();
    let handle = filterOf(options, settings, operation)(next);
    return (input, call) => {
      const now = options.settings();
      if (now !== settings) {
        settings = now;
        handle = filterOf(options, settings, operation)(next);
      }
      return handle(input, call);
    };
  };
}

function filterOf(
  { store, events }: CommandMemoryOptions,
  settings: IdempotencySettings,
  { operation, idempotent, keyOf, printOf, failureOf }: RememberedOperation,
): ReturnType<typeof idempotency<unknown, unknown>> {
  if (!settings.enabled) return (next) => next;
  return idempotency<unknown, unknown>({
    ...settings,
    store,
    events,
    target: 'server',
    operationOf: () => operation,
    idempotent: () => idempotent,
    keyOf,
    printOf,
    failureOf,
  });
}
