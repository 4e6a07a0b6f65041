import {
  FlotillaError,
  formatIdentity,
  formatTarget,
  type Instance,
  type InstanceSet,
  parseIdentity,
  type Resolver,
  type Target,
  type Watch,
} from '@flotilla/core';
import { applySnapshot, differs, instanceSet, type LiveSet } from '../client/live-set.ts';
import type { SourceLog } from './log.ts';
import { reasonOf } from './readable.ts';
import type { Following, Source, SourceListener, Wanted } from './source.ts';

/** A resolver that holds something open. */
export interface OpenResolver {
  readonly resolver: Resolver;
  /** Ends every watch; nobody is told anything after it. */
  close(): void;
}

const mostExamples = 5;

/**
 * A resolver over a {@link Source}: all watches of one target share one following of it, a late one is told what is known,
 * a list that says nothing new is not told. An empty list replaces one that is not only when it comes twice in a row, or
 * when the source said that somebody left. The last list stays true however long the source is silent.
 */
export function sharedResolver(source: Source, log: SourceLog): OpenResolver {
  const shared = new Map<string, SharedWatch>();
  let closed = false;
  const follow = (target: Target): SharedWatch => {
    const name = formatTarget(target);
    const known = shared.get(name);
    if (known) return known;
    const watch = new SharedWatch(target, source, log);
    shared.set(name, watch);
    return watch;
  };
  const resolver: Resolver = {
    watch(target: Target, update: (set: InstanceSet) => void): Watch {
      if (closed) return { close() {} };
      const watch = follow(target);
      const leave = watch.listen(update);
      return {
        close() {
          leave();
          const name = formatTarget(target);
          if (!watch.unwatched || shared.get(name) !== watch) return;
          shared.delete(name);
          watch.close();
        },
      };
    },
  };
  return {
    resolver,
    close() {
      closed = true;
      for (const watch of shared.values()) watch.close();
      shared.clear();
    },
  };
}

interface Listening {
  readonly listener: (set: InstanceSet) => void;
  /** Whether it was told anything: before that it is told what is known. */
  told: boolean;
}

class SharedWatch implements SourceListener {
  readonly #name: string;
  readonly #log: SourceLog;
  readonly #matches: (instance: Instance) => boolean;
  readonly #following: Following | undefined;
  readonly #listeners = new Set<Listening>();
  #known: LiveSet | undefined;
  #leftOut = '';
  #closed = false;

  constructor(target: Target, source: Source, log: SourceLog) {
    this.#name = formatTarget(target);
    this.#log = log;
    this.#matches = matcherOf(target);
    const wanted = wantedOf(target);
    if (wanted instanceof FlotillaError) log.targetRefused({ target: this.#name, reason: reasonOf(wanted) });
    else this.#following = source.follow(wanted, this);
  }

  get unwatched(): boolean {
    return this.#listeners.size === 0;
  }

  /** @returns takes the listener back. */
  listen(listener: (set: InstanceSet) => void): () => void {
    const listening: Listening = { listener, told: false }; // of its own for each watch: one function may watch twice
    this.#listeners.add(listening);
    queueMicrotask(() => {
      if (this.#known && !listening.told && this.#listeners.has(listening))
        this.#tell(listening, instanceSet(this.#known));
    });
    return () => this.#listeners.delete(listening);
  }

  close(): void {
    this.#closed = true;
    this.#listeners.clear();
    this.#following?.close();
  }

  list(instances: readonly Instance[], certain = false): 'believed' | 'doubted' {
    if (this.#closed) return 'believed';
    const before = this.#known;
    const snapshot = { warming: false, instances: instances.filter(this.#matches) };
    const next = applySnapshot(certain && before ? { ...before, doubted: true } : before, snapshot);
    this.#known = next;
    if (differs(before, next)) {
      const set = instanceSet(next);
      for (const listening of this.#listeners) this.#tell(listening, set);
    }
    return next.doubted ? 'doubted' : 'believed';
  }

  leftOut(entries: readonly string[]): void {
    const words = `${entries.length} ${entries.slice(0, mostExamples).join()}`;
    if (words === this.#leftOut || this.#closed) return;
    this.#leftOut = words;
    if (entries.length === 0) return;
    this.#log.leftOut({ target: this.#name, count: entries.length, examples: entries.slice(0, mostExamples) });
  }

  #tell(listening: Listening, set: InstanceSet): void {
    listening.told = true;
    try {
      listening.listener(set);
    } catch (cause) {
      this.#log.listenerFailed({ target: this.#name, cause });
    }
  }
}

/** Foreign sources know one name; namespace, group and version are told apart by what their instances say. */
function wantedOf(target: Target): Wanted | FlotillaError {
  if ('contract' in target) return target;
  try {
    return { service: parseIdentity(target.service).service };
  } catch (thrown) {
    if (thrown instanceof FlotillaError) return thrown;
    throw thrown;
  }
}

function matcherOf(target: Target): (instance: Instance) => boolean {
  if ('contract' in target) return ({ contracts }) => contracts.some(({ name }) => name === target.contract);
  return (instance) => formatIdentity(instance.identity) === target.service;
}
