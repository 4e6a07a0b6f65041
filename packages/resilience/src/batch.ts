import {
  begin,
  type Call,
  type Filter,
  FlotillaError,
  type Handler,
  type Timer,
  toFlotillaError,
} from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { flag, type Given, milliseconds, type PolicyFields, resolveFields, whole } from './policy-fields.ts';
import { sharedCall } from './shared-call.ts';

/** How calls are gathered in one. */
export interface BatchSettings {
  readonly enabled: boolean;
  /** Calls in one batch; the one that fills it sends it at once. */
  readonly max: number;
  /** Milliseconds that the first call of a batch waits for others. 0: until the turn of the event loop is over. */
  readonly windowMs: number;
}

export const batchDefaults: BatchSettings = Object.freeze({
  enabled: true, // whoever names an operation to gather into wants it
  max: 100, // fits into a request of the default size with ten kilobytes each
  windowMs: 2, // less than a call takes; calls that are made side by side come within one turn
});

export const batchFields: PolicyFields<BatchSettings> = {
  enabled: flag('whether calls are gathered, where the code says into what'),
  max: whole('calls in one batch', { min: 1, max: 10_000 }),
  windowMs: milliseconds('how long the first call of a batch waits for others', { min: 0, max: 1_000 }),
};

/** The answer to one of the calls that were gathered. */
export type BatchItem<Res> = { readonly value: Res } | { readonly error: FlotillaError };

/** What gathering needs to know. */
export interface BatchOptions<Req, Res> extends Given<BatchSettings> {
  /** Calls of one group are gathered: one operation, one tenant. Undefined: this one goes alone. */
  readonly groupOf: (request: Req, call: Call) => string | undefined;
  /** The one request that asks for all of them, in their order. */
  readonly join: (requests: readonly Req[]) => Req;
  /** The answers to each, in their order. What it throws fails all of them. */
  readonly split: (response: Res, requests: readonly Req[]) => readonly BatchItem<Res>[];
  /** Tells the call of a batch what it is for: attributes that it has from its first caller name the single operation. */
  readonly prepare?: ((call: Call, joined: Req) => void) | undefined;
  /** The operation, for events. */
  readonly operationOf?: ((request: Req, call: Call) => string) | undefined;
  readonly target?: string | undefined;
  readonly events?: PolicyEvents | undefined;
}

/**
 * Gathers calls that come within a moment in one (a collapser).
 *
 * ```
 *   product 7 ──┐                                         ┌─▶ product 7
 *   product 8 ──┼─ windowMs, or max ─▶ products [7, 8, 9] ─┼─▶ NOT_FOUND
 *   product 9 ──┘                                         └─▶ product 9
 * ```
 *
 * The window begins with the first call and does not move. Each caller gets the answer or the error of its own item; when the
 * batch as a whole fails, all get that error. The batch has the longest deadline of its callers: each leaves by itself when its
 * own is over, or when it is cancelled, and takes nobody along; when all have left the batch is cancelled. A call that is alone
 * goes as it is, and so does one that has no more time left than the window.
 *
 * @throws RangeError
 */
export function batch<Req, Res>(options: BatchOptions<Req, Res>): Filter<Req, Res> {
  const { max, windowMs } = resolveFields(batchFields, batchDefaults, options);
  return (next) => {
    const gathering = new Map<string, Batch<Req, Res>>(); // Invariant: each has 1 to max - 1 calls, and a timer
    return (request, call) => {
      const group = options.groupOf(request, call);
      if (group === undefined || max === 1) return next(request, call);
      let current = gathering.get(group);
      if (!current) {
        if (call.deadline - call.clock.now() <= windowMs) return next(request, call);
        current = new Batch(next, options);
        gathering.set(group, current);
        current.sendAfter(windowMs, call, () => void gathering.delete(group));
      }
      const answer = current.add(request, call);
      if (current.size >= max) current.send();
      return answer;
    };
  };
}

interface Waiter<Req, Res> {
  readonly request: Req;
  readonly call: Call;
  readonly resolve: (response: Res) => void;
  readonly reject: (error: unknown) => void;
  readonly stay: () => void;
}

class Batch<Req, Res> {
  readonly #next: Handler<Req, Res>;
  readonly #options: BatchOptions<Req, Res>;
  /** Who waits; who has left is gone. */
  readonly #waiters = new Set<Waiter<Req, Res>>();
  #timer: Timer | undefined;
  #isSent: () => void = nothing;
  #shared: Call | undefined;

  constructor(next: Handler<Req, Res>, options: BatchOptions<Req, Res>) {
    this.#next = next;
    this.#options = options;
  }

  get size(): number {
    return this.#waiters.size;
  }

  sendAfter(windowMs: number, { clock }: Call, isSent: () => void): void {
    this.#isSent = isSent;
    this.#timer = clock.setTimer(windowMs, () => this.send());
  }

  add(request: Req, call: Call): Promise<Res> {
    return new Promise((resolve, reject) => {
      let stay = nothing; // a call that is cancelled already leaves at once
      const waiter: Waiter<Req, Res> = { request, call, resolve, reject, stay: () => stay() };
      this.#waiters.add(waiter);
      stay = call.onCancel((reason) => this.#leave(waiter, reason));
    });
  }

  #leave(waiter: Waiter<Req, Res>, reason: FlotillaError): void {
    this.#waiters.delete(waiter);
    waiter.call.end(reason);
    waiter.reject(reason);
    if (this.#waiters.size === 0) this.#shared?.cancel(reason);
  }

  send(): void {
    this.#timer?.cancel();
    this.#isSent();
    const waiters = [...this.#waiters];
    const [first] = waiters;
    if (!first) return;
    if (waiters.length === 1) this.#sendAlone(first);
    else this.#sendAll(waiters, first);
  }

  #sendAlone({ request, call, resolve, reject, stay }: Waiter<Req, Res>): void {
    stay();
    begin(this.#next, request, call).then(resolve, reject);
  }

  #sendAll(waiters: readonly Waiter<Req, Res>[], { call, request }: Waiter<Req, Res>): void {
    const { events = nullEvents, target = '', operationOf, join, prepare } = this.#options;
    const requests = waiters.map((waiter) => waiter.request);
    const shared = sharedCall(call, Math.max(...waiters.map((waiter) => waiter.call.deadline)));
    this.#shared = shared;
    const operation = operationOf?.(request, call);
    tell(events, call.clock, 'batch', 'sent', target, operation, { calls: waiters.length });
    Promise.try(() => {
      const joined = join(requests);
      prepare?.(shared, joined);
      return this.#next(joined, shared);
    })
      .then((response) => this.#deal(waiters, this.#items(response, requests)))
      .catch((thrown: unknown) => {
        tell(events, call.clock, 'batch', 'failed', target, operation, { calls: this.#waiters.size });
        for (const waiter of this.#waiters) settle(waiter, { error: toFlotillaError(thrown) });
        this.#waiters.clear();
      });
  }

  #items(response: Res, requests: readonly Req[]): readonly BatchItem<Res>[] {
    const items = this.#options.split(response, requests);
    if (items.length === requests.length) return items;
    throw new FlotillaError(
      'BAD_RESPONSE',
      `a batch of ${requests.length} calls was answered with ${items.length} items; there has to be one for each, in order`,
    );
  }

  #deal(waiters: readonly Waiter<Req, Res>[], items: readonly BatchItem<Res>[]): void {
    for (const [index, waiter] of waiters.entries()) {
      if (this.#waiters.delete(waiter)) settle(waiter, items[index] as BatchItem<Res>);
    }
  }
}

function settle<Req, Res>({ call, resolve, reject, stay }: Waiter<Req, Res>, item: BatchItem<Res>): void {
  stay();
  if ('error' in item) {
    call.end(item.error);
    reject(item.error);
  } else {
    call.end();
    resolve(item.value);
  }
}

function nothing(): void {}
