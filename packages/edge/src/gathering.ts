import { type Call, FlotillaError, runInCall, toFlotillaError, within } from '@flotilla/core';
import type { MissingPart } from './missing.ts';
import { definitionOf, type PartDefinition, type PartLike, type Parts } from './part.ts';

/** A part that was started, or waits for what it needs. */
interface Node {
  readonly name: string;
  /** Emptied when they are needed no more, so that nobody is released twice. */
  readonly needs: Map<string, Node>;
  /** Rejects with what the part failed with. Somebody always listens. */
  result: Promise<unknown>;
  /** Settles when the part's own work begins, or never will. */
  begun: Promise<unknown>;
  /** How many still want its result. */
  users: number;
  call: Call | undefined;
}

type Work = Extract<PartDefinition, { kind: 'work' }>;
type Optional = Extract<PartDefinition, { kind: 'optional' }>;

/** One run of `gather`: the graph of its parts, each of them once. */
export class Gathering {
  readonly missing: MissingPart[] = [];
  readonly #whole: Call;
  readonly #parts: Parts;
  readonly #nodes = new Map<PartLike<unknown>, Node>();
  readonly #names = new Map<PartLike<unknown>, string>();

  /** @param whole the call that all parts run in; the owner ends it. */
  constructor(whole: Call, parts: Parts) {
    this.#whole = whole;
    this.#parts = parts;
  }

  /** Starts what can start. Rejects with the first error that no fallback stands in for. */
  async run(): Promise<object> {
    const entries = Object.entries(this.#parts);
    for (const [name, part] of entries) if (!this.#names.has(part)) this.#names.set(part, name);
    const results = entries.map(([name, part]) => this.#use(part, name).result);
    const values = await Promise.all(results);
    return Object.fromEntries(entries.map(([name], index) => [name, values[index]]));
  }

  /** Resolves when no part is running any more. */
  async settled(): Promise<void> {
    await Promise.allSettled(Array.from(this.#nodes.values(), ({ result }) => result));
  }

  #use(part: PartLike<unknown>, name: string): Node {
    const node = this.#nodes.get(part) ?? this.#start(part, this.#names.get(part) ?? name);
    node.users += 1;
    return node;
  }

  #start(part: PartLike<unknown>, name: string): Node {
    const definition = definitionOf(part, name);
    const wanted = definition.kind === 'work' ? definition.needs : { inner: definition.inner };
    const needs = new Map<string, Node>();
    for (const [need, like] of Object.entries(wanted)) {
      // An optional part is what it wraps, as far as names go.
      needs.set(need, this.#use(like, definition.kind === 'work' ? `${name}.${need}` : name));
    }
    const nothing = Promise.resolve();
    const node: Node = { name, needs, result: nothing, begun: nothing, users: 0, call: undefined };
    this.#nodes.set(part, node);
    if (definition.kind === 'work') this.#startWork(node, definition);
    else node.result = this.#runOptional(node, definition);
    node.result.catch(() => {}); // whoever uses it hears of it; an abandoned part has nobody left
    return node;
  }

  #startWork(node: Node, definition: Work): void {
    const values = valuesOf(node.needs);
    node.begun = values;
    node.result = this.#runWork(node, definition, values);
  }

  async #runWork(node: Node, { run, timeoutMs }: Work, needed: Promise<unknown>): Promise<unknown> {
    try {
      const values = await needed;
      this.#whole.throwIfCancelled();
      if (node.users === 0) throw abandoned(node);
      const call = this.#whole.child(timeoutMs === undefined ? {} : { timeoutMs });
      node.call = call;
      return await runPart(call, () => run(call, values as never));
    } catch (thrown) {
      releaseNeeds(node);
      throw thrown;
    }
  }

  async #runOptional(node: Node, { fallback, timeoutMs }: Optional): Promise<unknown> {
    const inner = node.needs.get('inner') as Node;
    try {
      return await this.#waitFor(inner, timeoutMs);
    } catch (thrown) {
      releaseNeeds(node);
      if (node.users === 0) throw abandoned(node);
      // At the deadline what is there is the answer; for any other reason nobody wants one any more.
      const { cancelled } = this.#whole;
      if (cancelled && cancelled.code !== 'DEADLINE_EXCEEDED') throw cancelled;
      const error = toFlotillaError(thrown);
      const value = fallback(error);
      this.missing.push({ part: node.name, code: error.code });
      return value;
    }
  }

  async #waitFor(inner: Node, timeoutMs: number | undefined): Promise<unknown> {
    if (timeoutMs === undefined) return inner.result;
    await inner.begun;
    const waiting = this.#whole.child({ timeoutMs });
    try {
      return await within(waiting, inner.result);
    } finally {
      waiting.end();
    }
  }
}

async function valuesOf(needs: ReadonlyMap<string, Node>): Promise<unknown> {
  const results = await Promise.all(Array.from(needs.values(), ({ result }) => result));
  return Object.fromEntries(Array.from(needs.keys(), (name, index) => [name, results[index]]));
}

async function runPart(call: Call, run: () => unknown): Promise<unknown> {
  try {
    const value = await within(
      call,
      runInCall(call, async () => run()),
    );
    call.end();
    return value;
  } catch (thrown) {
    call.end(toFlotillaError(thrown));
    throw thrown;
  }
}

/** One user less; the last one takes the work with it, and what only that work needed. */
function release(node: Node): void {
  node.users -= 1;
  if (node.users > 0) return;
  if (node.call) node.call.cancel(abandoned(node));
  else releaseNeeds(node);
}

function releaseNeeds({ needs }: Node): void {
  const released = [...needs.values()];
  needs.clear();
  for (const need of released) release(need);
}

function abandoned({ name }: Node): FlotillaError {
  return new FlotillaError('CANCELLED', `nobody waits for part "${name}" any more`);
}
