import {
  type Attribute,
  attribute,
  type Call,
  type Filter,
  FlotillaError,
  type Handler,
  idempotentAttribute,
  type Random,
  type Store,
  sleep,
  toFlotillaError,
  within,
} from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import {
  decide,
  formatRecord,
  type IdempotencyRecord,
  isKept,
  parseRecord,
  type Repetition,
} from './idempotency-record.ts';
import { choice, flag, type Given, milliseconds, type PolicyFields, resolveFields, whole } from './policy-fields.ts';

/** Whether a server recognises a command that comes again, by its idempotency key. */
export interface IdempotencySettings {
  readonly enabled: boolean;
  /** How long an answer is remembered. */
  readonly ttlMs: number;
  /** The longest that a command is believed to be worked on, from its beginning; its deadline may be sooner. */
  readonly runningMs: number;
  /** What a command gets that comes again while the first is worked on: its answer, or a refusal at once. */
  readonly onDuplicate: 'wait' | 'refuse';
  /** What happens while the store is away: the command runs unprotected, or it is refused. */
  readonly whenStoreAway: 'auto' | 'run' | 'refuse';
  /** A larger answer is not remembered, in bytes of JSON. */
  readonly maxAnswerBytes: number;
}

export const idempotencyDefaults: IdempotencySettings = Object.freeze({
  enabled: true, // a key is sent by who wants it to mean something
  ttlMs: 86_400_000, // a day: the customary promise of payment services, longer than any retry
  runningMs: 60_000, // twice what a call may take
  onDuplicate: 'wait', // a retry after a lost connection gets the answer that it came for
  whenStoreAway: 'auto', // runs what may be done twice, refuses what may not
  maxAnswerBytes: 65_536, // a receipt, not a report; a hundred thousand of them are what a Redis can hold
});

export const idempotencyFields: PolicyFields<IdempotencySettings> = {
  enabled: flag('whether a command that comes again under its key is recognised'),
  ttlMs: milliseconds('how long an answer is remembered', { min: 1_000, max: 2_592_000_000 }),
  runningMs: milliseconds('the longest that a command is believed to be worked on', { max: 3_600_000 }),
  onDuplicate: choice(['wait', 'refuse'], 'what a command gets that comes again while the first is worked on'),
  whenStoreAway: choice(
    ['auto', 'run', 'refuse'],
    'while the store is away: run unprotected, refuse, or by the operation',
  ),
  maxAnswerBytes: whole('a larger answer is not remembered', { min: 1, max: 16_777_216 }),
};

/** What recognising commands needs to know. */
export interface IdempotencyOptions<Req> extends Given<IdempotencySettings> {
  readonly store: Store;
  /** Names the command: operation, tenant, caller and the caller's key. Undefined: it has none, and is not remembered. */
  readonly keyOf: (request: Req, call: Call) => string | undefined;
  /** Tells inputs apart: equal for equal inputs. */
  readonly printOf: (request: Req, call: Call) => string;
  /** May it be done twice without harm? Default: what the call's `idempotentAttribute` says. */
  readonly idempotent?: ((request: Req, call: Call) => boolean) | undefined;
  /** What was thrown, as what the caller will be told of the work. Default: as it is. */
  readonly failureOf?: ((thrown: unknown, request: Req, call: Call) => FlotillaError) | undefined;
  readonly operationOf?: ((request: Req, call: Call) => string) | undefined;
  readonly target?: string | undefined;
  readonly events?: PolicyEvents | undefined;
}

/** True in a call that was answered by what was remembered. */
export const replayedAttribute: Attribute<boolean> = attribute('answered by what was remembered');

/**
 * Recognises a command that comes again, on whichever instance, as long as they share a store.
 *
 * ```
 *   first       ── none → running ── the work ── running → done ──▶ answer
 *   again       ── running: waits ──────────────────── done ──────▶ the same answer
 *   later       ── done ─▶ the same answer, and nothing is done
 *   other input ── IDEMPOTENCY_KEY_REUSED
 * ```
 *
 * 1. The key is taken in one step: of all who come at once, one works. The others wait for it until their deadlines, or are
 *    refused with DUPLICATE_REQUEST: `onDuplicate`.
 * 2. The answer is remembered before it is given, also for a caller that has gone: it is what a repetition will ask for. So is an
 *    error that is an answer; {@link isKept} has the rules. What was not executed is forgotten, and a repetition runs.
 * 3. Who took the key and is silent past its deadline by 5 s has crashed, or forgotten it. What may be done twice is then
 *    done again; of anything else nobody knows whether it was done: DUPLICATE_REQUEST, `executed: 'unknown'`.
 * 4. While the store is away, what may be done twice runs unprotected, since that does no harm; anything else came with a key
 *    to be protected, and is refused: UNAVAILABLE, `executed: 'no'`. `whenStoreAway` says otherwise.
 *
 * For answers that are JSON in one piece. It stands below whatever gives up on a work that goes on.
 * @throws RangeError
 */
export function idempotency<Req, Res>(options: IdempotencyOptions<Req>): Filter<Req, Res> {
  const settings = resolveFields(idempotencyFields, idempotencyDefaults, options);
  return (next) => {
    const keeper = new Keeper<Req, Res>(next, settings, options);
    return (request, call) => {
      const key = options.keyOf(request, call);
      return key === undefined ? next(request, call) : keeper.handle(request, call, key);
    };
  };
}

/** Who took a key is believed for so long after its deadline: clocks differ, and answers take time to be written. */
const graceMs = 5_000;

/** How long is waited between two looks at what another process does. */
const [firstLookMs, lastLookMs] = [20, 1_000];

/** A key that was taken, or may have been. */
interface Taken {
  /** The record that says so. */
  readonly own: string;
  readonly print: string;
  readonly mayRepeat: boolean;
}

class Keeper<Req, Res> {
  readonly #next: Handler<Req, Res>;
  readonly #settings: IdempotencySettings;
  readonly #options: IdempotencyOptions<Req>;
  /** Commands that this process works on. Each is settled when its answer was remembered; none rejects. */
  readonly #running = new Map<string, Promise<void>>();

  constructor(next: Handler<Req, Res>, settings: IdempotencySettings, options: IdempotencyOptions<Req>) {
    this.#next = next;
    this.#settings = settings;
    this.#options = options;
  }

  async handle(request: Req, call: Call, key: string): Promise<Res> {
    const { store, printOf, idempotent = isMarkedIdempotent } = this.#options;
    const print = printOf(request, call);
    const owner = tokenBy(call.random);
    const mayRepeat = idempotent(request, call);
    let expected: string | undefined;
    for (let look = 0; ; look++) {
      const own = formatRecord({ state: 'running', print, owner, until: this.#until(call) });
      let found: string | undefined;
      let record: IdempotencyRecord | undefined;
      try {
        const change = { expected, value: own, ttlMs: this.#settings.ttlMs };
        const swap = await store.compareAndSet(key, change, call);
        if (swap.swapped) return this.#track(request, call, key, { own, print, mayRepeat });
        found = swap.found;
        record = found === undefined ? undefined : parseRecord(found);
      } catch (thrown) {
        call.throwIfCancelled();
        return this.#withoutStore(thrown, request, call, key, { own, print, mayRepeat });
      }
      const decision = decide(record, this.#repetition(print, mayRepeat, call));
      if (decision.do === 'answer') return this.#replay(decision.answer, request, call);
      if (decision.do === 'fail') throw this.#refused(decision.error, request, call);
      expected = decision.do === 'takeOver' ? found : undefined;
      if (decision.do === 'wait') await this.#wait(key, look, request, call);
    }
  }

  #until(call: Call): number {
    return call.clock.wallNow() + Math.min(this.#settings.runningMs, call.remainingMs) + graceMs;
  }

  #repetition(print: string, idempotent: boolean, call: Call): Repetition {
    return { print, idempotent, onDuplicate: this.#settings.onDuplicate, wallNow: call.clock.wallNow() };
  }

  #track(request: Req, call: Call, key: string, taken: Taken): Promise<Res> {
    const answer = this.#work(request, call, key, taken);
    const settled = answer.then(nothing, nothing);
    this.#running.set(key, settled);
    void settled.then(() => {
      if (this.#running.get(key) === settled) this.#running.delete(key);
    });
    return answer;
  }

  async #work(request: Req, call: Call, key: string, { own, print, mayRepeat }: Taken): Promise<Res> {
    let response: Res;
    let answer: string | undefined;
    try {
      response = await this.#next(request, call);
      answer = JSON.stringify(response);
    } catch (thrown) {
      const error = this.#options.failureOf?.(thrown, request, call) ?? toFlotillaError(thrown);
      const kept = isKept(error, mayRepeat) ? formatRecord({ state: 'failed', print, error }) : undefined;
      await this.#remember(key, own, this.#fitting(kept, print, mayRepeat), request, call);
      throw thrown;
    }
    const done = formatRecord({ state: 'done', print, answer });
    await this.#remember(key, own, this.#fitting(done, print, mayRepeat), request, call);
    return response;
  }

  /** What is too large is forgotten where that does no harm; else it is remembered that it was done. */
  #fitting(text: string | undefined, print: string, mayRepeat: boolean): string | undefined {
    const most = Math.min(this.#settings.maxAnswerBytes, this.#options.store.maxValueBytes);
    if (text === undefined || Buffer.byteLength(text) <= most) return text;
    return mayRepeat ? undefined : formatRecord({ state: 'lost', print });
  }

  /** Waits for no caller: it may have gone. The store bounds its own time. */
  async #remember(key: string, own: string, value: string | undefined, request: Req, call: Call): Promise<void> {
    try {
      await this.#options.store.compareAndSet(key, { expected: own, value, ttlMs: this.#settings.ttlMs });
    } catch {
      this.#tell('store_away', request, call); // the work is done: its caller gets the answer in any case
    }
  }

  async #withoutStore(thrown: unknown, request: Req, call: Call, key: string, taken: Taken): Promise<Res> {
    this.#tell('store_away', request, call);
    const { whenStoreAway } = this.#settings;
    if (whenStoreAway === 'run' || (whenStoreAway === 'auto' && taken.mayRepeat)) {
      return this.#track(request, call, key, taken); // the key may have been taken without our knowing
    }
    void this.#remember(key, taken.own, undefined, request, call); // for the same reason
    throw new FlotillaError(
      'UNAVAILABLE',
      `whether this command came before cannot be looked up: ${toFlotillaError(thrown).detail}; see idempotency.whenStoreAway`,
      { executed: 'no', retryAfterMs: 1_000, cause: thrown },
    );
  }

  #replay(answer: string | undefined, request: Req, call: Call): Res {
    this.#tell('replayed', request, call);
    call.set(replayedAttribute, true);
    return (answer === undefined ? undefined : JSON.parse(answer)) as Res;
  }

  #refused(error: FlotillaError, request: Req, call: Call): FlotillaError {
    const isConflict = error.code === 'DUPLICATE_REQUEST' || error.code === 'IDEMPOTENCY_KEY_REUSED';
    this.#tell(isConflict ? 'conflict' : 'replayed', request, call);
    call.set(replayedAttribute, true);
    return error;
  }

  #wait(key: string, look: number, request: Req, call: Call): Promise<void> {
    if (look === 0) this.#tell('waited', request, call);
    const here = this.#running.get(key);
    if (here) return within(call, here);
    const mostMs = Math.min(lastLookMs, firstLookMs * 2 ** Math.min(look, 16));
    return sleep(mostMs * (0.5 + 0.5 * call.random()), call);
  }

  #tell(kind: 'replayed' | 'waited' | 'conflict' | 'store_away', request: Req, call: Call): void {
    const { events = nullEvents, target = '', operationOf } = this.#options;
    tell(events, call.clock, 'idempotency', kind, target, operationOf?.(request, call));
  }
}

function isMarkedIdempotent(_request: unknown, call: Call): boolean {
  return call.get(idempotentAttribute) === true;
}

/** 64 bits: it has to differ from those who want the same key. */
function tokenBy(random: Random): string {
  const half = (): string => Math.floor(random() * 0x1_0000_0000).toString(36);
  return half() + half();
}

function nothing(): void {}
