import type { FlotillaError } from '@flotilla/core';

/** What an engine keeps of one instance: a text, and the write that made it so. */
export interface EngineRecord {
  readonly text: string;
  /** Rises with every write to the engine, whatever is written. No two writes have the same. */
  readonly revision: number;
}

/** What came of a write that compared: it is there, or somebody else's was (undefined: nothing). */
export type Written =
  | { readonly outcome: 'written'; readonly revision: number }
  | { readonly outcome: 'conflict'; readonly current: EngineRecord | undefined };

/** Who hears an engine. None of these may throw. */
export interface EngineListener {
  /** Everything comes now, as {@link changed}, whatever was told before: this is the first time, or changes may have been missed. */
  listing(): void;
  /** That was everything; from here on each change is told. */
  listed(): void;
  /** A record as it is now; undefined: there is none any more. What is older than what was told may come again. */
  changed(key: string, record: EngineRecord | undefined): void;
  /** What another node published. */
  heard(node: string, text: string): void;
  /** The nodes that are there, in the order in which they came. */
  members(nodes: readonly string[]): void;
  /** It can be reached again, and tells everything that was changed meanwhile: instead of a `listing`. */
  back(): void;
  /** The engine cannot be reached. It goes on trying; `listing` or `back` follows. */
  away(reason: FlotillaError): void;
}

/**
 * Port: where several registry nodes keep their leases together. One object serves one node. Engines: memory (tests),
 * etcd, ZooKeeper; `testing/lease-engine-contract.ts` says what each has to do.
 */
export interface LeaseEngine {
  /** For messages: `etcd at 10.0.0.1:2379`. */
  readonly name: string;
  /** Begins to connect, and goes on until {@link stop}. @param node a name that no other node has. */
  start(node: string, listener: EngineListener): void;
  /**
   * Writes if the record is still the one of that revision; 0: if there is none.
   * @throws FlotillaError with `executed` `no` or `unknown`; then the caller writes again, and finds out by the conflict.
   */
  write(key: string, text: string, revision: number): Promise<Written>;
  /** Removes the record of that revision. @returns whether it is gone. @throws FlotillaError */
  remove(key: string, revision: number): Promise<boolean>;
  /** Tells all other nodes, at least those that are connected. @throws FlotillaError */
  publish(text: string): Promise<void>;
  /** Says farewell, as far as the engine can be told. Never rejects. */
  stop(): Promise<void>;
}

/** Longest text of a record or a bulletin: ZooKeeper takes a megabyte, etcd one and a half. */
export const longestEngineText: number = 512 * 1_024;
