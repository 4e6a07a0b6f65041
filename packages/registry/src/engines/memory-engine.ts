import { FlotillaError } from '@flotilla/core';
import type { EngineListener, EngineRecord, LeaseEngine, Written } from '../shared/engine.ts';

/** What {@link MemoryEngine} does with the next write. */
export type WriteFate = 'done' | 'refused' | 'done, answer lost';

/**
 * A working engine within one process: for tests, and for several registries in one `flotilla dev`. Its nodes are made by
 * {@link node}; changes reach them in their order, each in a later turn.
 */
export class MemoryEngine {
  readonly #records = new Map<string, EngineRecord>();
  readonly #nodes: MemoryNode[] = [];
  #revision = 0;
  #isUp = true;
  #paused: Promise<void> = Promise.resolve();
  #resume: () => void = () => {};
  #held: Promise<void> | undefined;
  /** Consulted before each write. */
  fate: (key: string) => WriteFate = () => 'done';

  /** An engine object for one more node. */
  node(): LeaseEngine {
    return new MemoryNode(this);
  }

  /** Texts by key. */
  get records(): ReadonlyMap<string, EngineRecord> {
    return this.#records;
  }

  /** Nobody reaches it until {@link up}. */
  down(): void {
    this.#isUp = false;
    for (const node of this.#nodes) node.lose('the engine is down');
  }

  up(): void {
    this.#isUp = true;
    for (const node of this.#nodes) this.#list(node);
    this.#tellMembers();
  }

  /** Everything is gone, as after a restore from nothing. */
  wipe(): void {
    this.#records.clear();
  }

  /** That node is cut off; the others see it go. */
  cut(node: LeaseEngine): void {
    this.#of(node)?.lose('this node is cut off');
    this.#tellMembers();
  }

  /** That node is back. */
  heal(node: LeaseEngine): void {
    const found = this.#of(node);
    if (found && this.#isUp) this.#list(found);
    this.#tellMembers();
  }

  /** Nothing is answered until {@link resume}. */
  pause(): void {
    this.#paused = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume();
    this.#paused = Promise.resolve();
  }

  /** The next write is done and told, and not answered until the returned function is called. */
  holdAnswer(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#held = promise;
    return resolve;
  }

  /** @internal Until when a write that is done now is not answered. */
  takeHeld(): Promise<void> | undefined {
    const held = this.#held;
    this.#held = undefined;
    return held;
  }

  /** @internal */
  get paused(): Promise<void> {
    return this.#paused;
  }

  #of(node: LeaseEngine): MemoryNode | undefined {
    return this.#nodes.find((each) => each === node);
  }

  /** @internal */
  join(node: MemoryNode): void {
    this.#nodes.push(node);
    if (this.#isUp) this.#list(node);
    else node.lose('the engine is down');
    this.#tellMembers();
  }

  /** @internal */
  leave(node: MemoryNode): void {
    const place = this.#nodes.indexOf(node);
    if (place >= 0) this.#nodes.splice(place, 1);
    this.#tellMembers();
  }

  /** @internal */
  write(key: string, text: string | undefined, revision: number): Written {
    const current = this.#records.get(key);
    if ((current?.revision ?? 0) !== revision) return { outcome: 'conflict', current };
    const record = text === undefined ? undefined : { text, revision: ++this.#revision };
    if (record) this.#records.set(key, record);
    else this.#records.delete(key);
    for (const node of this.#nodes) node.tell((listener) => listener.changed(key, record));
    return { outcome: 'written', revision: this.#revision };
  }

  /** @internal */
  publish(from: string, text: string): void {
    for (const node of this.#nodes) node.tell((listener) => listener.heard(from, text));
  }

  #list(node: MemoryNode): void {
    node.find();
    node.tell((listener) => {
      listener.listing();
      for (const [key, record] of this.#records) listener.changed(key, record);
      listener.listed();
    });
  }

  #tellMembers(): void {
    const names = this.#nodes.filter(({ isConnected }) => isConnected).map(({ nodeName }) => nodeName);
    for (const node of this.#nodes) node.tell((listener) => listener.members(names));
  }
}

/** One node's side of a {@link MemoryEngine}. */
class MemoryNode implements LeaseEngine {
  readonly name = 'memory';
  readonly #engine: MemoryEngine;
  nodeName = '';
  isConnected = false;
  #listener: EngineListener | undefined;
  /** Counts losses: what was told before one is not heard after it. */
  #connection = 0;

  constructor(engine: MemoryEngine) {
    this.#engine = engine;
  }

  start(node: string, listener: EngineListener): void {
    this.nodeName = node;
    this.#listener = listener;
    queueMicrotask(() => this.#engine.join(this));
  }

  async write(key: string, text: string, revision: number): Promise<Written> {
    await this.#reached();
    const fate = this.#engine.fate(key);
    if (fate === 'refused') throw new FlotillaError('UNAVAILABLE', 'the engine refuses', { executed: 'no' });
    const written = this.#engine.write(key, text, revision);
    await this.#engine.takeHeld();
    if (fate !== 'done') throw new FlotillaError('CONNECTION_LOST', 'the answer of the engine got lost');
    return written;
  }

  async remove(key: string, revision: number): Promise<boolean> {
    await this.#reached();
    return this.#engine.write(key, undefined, revision).outcome === 'written';
  }

  async publish(text: string): Promise<void> {
    await this.#reached();
    this.#engine.publish(this.nodeName, text);
  }

  async stop(): Promise<void> {
    this.#connection++;
    this.#listener = undefined;
    this.#engine.leave(this);
  }

  /** Tells the listener something in a later turn, in order. */
  tell(say: (listener: EngineListener) => void): void {
    const connection = this.#connection;
    if (!this.isConnected) return;
    queueMicrotask(() => {
      if (this.#listener && connection === this.#connection) say(this.#listener);
    });
  }

  lose(why: string): void {
    this.#connection++;
    this.isConnected = false;
    this.#listener?.away(new FlotillaError('CONNECT_FAILED', why));
  }

  find(): void {
    this.isConnected = true;
  }

  async #reached(): Promise<void> {
    await this.#engine.paused;
    if (!this.isConnected) throw new FlotillaError('CONNECT_FAILED', 'the engine cannot be reached');
  }
}
