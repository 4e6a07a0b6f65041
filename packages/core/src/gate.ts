import type { Call } from './call.ts';
import type { Filter } from './handler.ts';

/**
 * What lets calls in, or refuses them, before the work on them begins: a limit, for instance. It sees the call and nothing of
 * the request, so it can be asked before a byte of that is read; and it hands nothing on, so that it costs no promise where
 * nobody has to wait. A gate that is passed may still hear of the call's end: {@link Call.onEnd}.
 */
export interface Gate {
  /**
   * Asks for one call.
   * @param now on the clock of the call
   * @returns undefined: it is in. A promise: it waits, and is in when that resolves
   * @throws FlotillaError, or rejects with it: it is refused. Whoever answers ends the call
   */
  enter(call: Call, now: number): Promise<void> | undefined;
  /** Its answer has begun; not `well`: it will not, because the work failed. For a gate that counts calls only until then. */
  begun?(call: Call, well: boolean): void;
}

/** A handler that gives an answer which is ready at once without a promise. */
export type ReadyHandler<Req, Res> = (request: Req, call: Call) => Res | Promise<Res>;

/** Asks a gate before each request. What the gate throws is thrown. */
function behindGate<Req, Res>(
  gate: Gate,
  next: ReadyHandler<Req, Res>,
  nowOf: (call: Call) => number,
): ReadyHandler<Req, Res> {
  const enter = (request: Req, call: Call): Res | Promise<Res> => {
    const waiting = gate.enter(call, nowOf(call));
    return waiting ? goOn(waiting, next, request, call) : next(request, call);
  };
  if (!gate.begun) return enter;
  const begun = gate.begun.bind(gate);
  return (request, call) => {
    const answer = Promise.try(enter, request, call);
    answer.then(
      () => begun(call, true),
      () => begun(call, false),
    );
    return answer;
  };
}

/** Apart from who does not wait: what a function inside needs would be put aside for each call. */
function goOn<Req, Res>(waiting: Promise<void>, next: ReadyHandler<Req, Res>, request: Req, call: Call): Promise<Res> {
  return waiting.then(() => next(request, call));
}

const gates = new WeakMap<object, Gate>();

/** A gate as a filter. */
export function gateFilter<Req, Res>(gate: Gate): Filter<Req, Res> {
  const filter: Filter<Req, Res> = (next) => promised(behindGate(gate, next, nowOf));
  gates.set(filter, gate);
  return filter;
}

/**
 * Wraps what may answer at once in filters, the first one listed outermost. Filters that are gates need no promise; any other
 * one gets, and gives, a promise as always. For whoever makes the call and asks at once: gates that no other filter stands
 * before are asked as of the start of the call, without another look at the clock.
 */
export function composeReady<Req, Res>(
  filters: readonly Filter<Req, Res>[],
  innermost: ReadyHandler<Req, Res>,
): ReadyHandler<Req, Res> {
  const outermost = filters.findIndex((filter) => !gates.has(filter));
  return filters.reduceRight<ReadyHandler<Req, Res>>((next, filter, at) => {
    const gate = gates.get(filter);
    if (!gate) return filter(promised(next));
    return behindGate(gate, next, outermost < 0 || at < outermost ? startOf : nowOf);
  }, innermost);
}

function startOf(call: Call): number {
  return call.startedAt;
}

function nowOf(call: Call): number {
  return call.clock.now();
}

/** A promise in any case: of what is there at once, of what was thrown. */
function promised<Req, Res>(handler: ReadyHandler<Req, Res>): (request: Req, call: Call) => Promise<Res> {
  return (request, call) => {
    try {
      const answer = handler(request, call);
      return answer instanceof Promise ? answer : Promise.resolve(answer);
    } catch (thrown) {
      return Promise.reject(thrown);
    }
  };
}
