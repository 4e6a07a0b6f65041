import { FlotillaError, type Instance } from '@flotilla/core';
import { mostInstances, usableInstance } from '../client/answers.ts';

/** What of a list can be used, and why the rest cannot. */
export interface Readable {
  readonly instances: readonly Instance[];
  /** One line for each entry that is left out: its name, and what is wrong. */
  readonly leftOut: readonly string[];
}

/**
 * Reads the entries of a foreign list. Each is held against the bounds of a registration, as one of our own registry is;
 * what cannot be used is left out, and the rest counts: one poisoned entry must not blind a fleet.
 * @param read an entry as the instances that it stands for, not yet checked. It may throw.
 * @param nameOf an entry, for the line about it.
 */
export function readEntries<Entry>(
  entries: Iterable<Entry>,
  read: (entry: Entry) => readonly unknown[],
  nameOf: (entry: Entry) => string,
): Readable {
  const instances: Instance[] = [];
  const leftOut: string[] = [];
  for (const entry of entries) {
    try {
      for (const json of read(entry)) {
        if (instances.length >= mostInstances) throw tooMany();
        instances.push(usableInstance(json));
      }
    } catch (cause) {
      leftOut.push(`${nameOf(entry).slice(0, 120)}: ${reasonOf(cause)}`);
    }
  }
  return { instances, leftOut };
}

/** What is wrong, in words. */
export function reasonOf(cause: unknown): string {
  return cause instanceof FlotillaError ? cause.detail : String(cause);
}

function tooMany(): FlotillaError {
  return new FlotillaError('INVALID_INPUT', `beyond the limit of ${mostInstances} instances`);
}
