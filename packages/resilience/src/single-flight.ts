import { begin, type Call, type Filter, type FlotillaError, type Handler, toFlotillaError } from '@flotilla/core';
import { nullEvents, type PolicyEvents, tell } from './events.ts';
import { flag, type Given, milliseconds, type PolicyFields, resolveFields, whole } from './policy-fields.ts';
import { copyJson, sharedCall } from './shared-call.ts';

/** Whether callers who ask for the same at the same time share one call. */
export interface SingleFlightSettings {
  readonly enabled: boolean;
  /** Different questions that are shared at a time; further ones are asked by each caller for itself. */
  readonly maxFlights: number;
  /** A shared call that ran out of time is made again only for callers who have at least this left. */
  readonly minRenewMs: number;
}

export const singleFlightDefaults: SingleFlightSettings = Object.freeze({
  enabled: false, // what an answer depends on besides its input is known to who wrote the operation
  maxFlights: 10_000, // each holds its key and its callers
  minRenewMs: 50, // with less there is no answer any more
});

export const singleFlightFields: PolicyFields<SingleFlightSettings> = {
  enabled: flag('whether callers who ask for the same at the same time share one call'),
  maxFlights: whole('different questions that are shared at a time', { min: 1, max: 1_000_000 }),
  minRenewMs: milliseconds('a shared call that ran out of time is made again for callers with at least this left', {
    min: 0,
  }),
};

/** What sharing needs to know. */
export interface SingleFlightOptions<Req, Res> extends Given<SingleFlightSettings> {
  /** What makes two calls the same: operation, input, tenant. Undefined: this one is not shared. */
  readonly keyOf: (request: Req, call: Call) => string | undefined;
  /** The operation, for events. */
  readonly operationOf?: ((request: Req, call: Call) => string) | undefined;
  /** Makes the answer of each further caller. Default: a copy of JSON. */
  readonly copy?: ((response: Res) => Res) | undefined;
  /** Whom it is about, for events. Default: empty. */
  readonly target?: string | undefined;
  readonly events?: PolicyEvents | undefined;
}

/**
 * Callers who ask for the same while it is being asked for get one answer, each a copy of its own; all get the one error.
 *
 * ```
 *   a ──┐                          ┌─▶ a: the answer
 *   b ──┼─▶ one call ─▶ instance ──┼─▶ b: a copy
 *   c ──┘      c leaves: nothing changes; all leave: it is cancelled
 * ```
 *
 * The shared call has the deadline of who began it. When it runs out of time and others have more, it is made once more with
 * the longest deadline of those who wait: nobody gets an error before its own deadline because somebody else was in a hurry.
 * For answers of one piece that change nothing; a stream is read once and cannot be shared.
 *
 * @throws RangeError
 */
export function singleFlight<Req, Res>(options: SingleFlightOptions<Req, Res>): Filter<Req, Res> {
  const { maxFlights, minRenewMs } = resolveFields(singleFlightFields, singleFlightDefaults, options);
  const { keyOf, copy = copyJson, events = nullEvents, target = '', operationOf } = options;
  return (next) => {
    const flights = new Map<string, Flight<Req, Res>>(); // Invariant: each has callers who wait
    return (request, call) => {
      const key = keyOf(request, call);
      if (key === undefined) return next(request, call);
      const flight = flights.get(key);
      if (flight) {
        tell(events, call.clock, 'singleFlight', 'joined', target, operationOf?.(request, call));
        return flight.join(call);
      }
      if (flights.size >= maxFlights) return next(request, call);
      const over = (): void => {
        if (flights.get(key) === begun) flights.delete(key); // one that all have left may end after the next has begun
      };
      const begun: Flight<Req, Res> = new Flight({ next, request, copy, minRenewMs, over });
      flights.set(key, begun);
      return begun.begin(call);
    };
  };
}

/**
 * Until when a shared call that ran out of time is made again; undefined: not at all.
 * @param ranUntil its deadline
 * @param deadlines of those who wait
 */
export function renewedUntil(
  ranUntil: number,
  deadlines: Iterable<number>,
  now: number,
  minRenewMs: number,
): number | undefined {
  let longest = -Infinity;
  for (const deadline of deadlines) longest = Math.max(longest, deadline);
  return longest > ranUntil && longest - now >= minRenewMs ? longest : undefined;
}

interface Waiter<Res> {
  readonly call: Call;
  readonly resolve: (response: Res) => void;
  readonly reject: (error: unknown) => void;
  readonly leave: () => void;
}

interface FlightParts<Req, Res> {
  readonly next: Handler<Req, Res>;
  readonly request: Req;
  readonly copy: (response: Res) => Res;
  readonly minRenewMs: number;
  /** No more callers may join. */
  readonly over: () => void;
}

class Flight<Req, Res> {
  readonly #parts: FlightParts<Req, Res>;
  readonly #waiters = new Set<Waiter<Res>>();
  #shared: Call | undefined;

  constructor(parts: FlightParts<Req, Res>) {
    this.#parts = parts;
  }

  begin(first: Call): Promise<Res> {
    const answer = this.join(first);
    if (this.#waiters.size > 0) this.#run(first, first.deadline);
    return answer;
  }

  join(call: Call): Promise<Res> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter<Res> = { call, resolve, reject, leave: () => leave() };
      this.#waiters.add(waiter);
      let leave = (): void => {}; // a call that is cancelled already leaves at once
      leave = call.onCancel((reason) => this.#left(waiter, reason));
    });
  }

  #left(waiter: Waiter<Res>, reason: FlotillaError): void {
    this.#waiters.delete(waiter);
    waiter.call.end(reason);
    waiter.reject(reason);
    if (this.#waiters.size > 0) return;
    this.#parts.over();
    this.#shared?.cancel(reason);
  }

  #run(first: Call, deadline: number): void {
    const { next, request } = this.#parts;
    const shared = sharedCall(first, deadline);
    this.#shared = shared;
    begin(next, request, shared).then(
      (response) => this.#answered(response),
      (thrown: unknown) => this.#failed(thrown, shared),
    );
  }

  #answered(response: Res): void {
    this.#parts.over();
    let isFirst = true;
    for (const { call, resolve, leave } of this.#waiters) {
      leave();
      call.end();
      resolve(isFirst ? response : this.#parts.copy(response));
      isFirst = false;
    }
    this.#waiters.clear();
  }

  #failed(thrown: unknown, shared: Call): void {
    const error = toFlotillaError(thrown);
    const longest = error.code === 'DEADLINE_EXCEEDED' ? this.#renewedUntil(shared) : undefined;
    if (longest !== undefined) {
      this.#run(longest.call, longest.call.deadline);
      return;
    }
    this.#parts.over();
    for (const { call, reject, leave } of this.#waiters) {
      leave();
      call.end(error);
      reject(thrown);
    }
    this.#waiters.clear();
  }

  #renewedUntil({ deadline, clock }: Call): Waiter<Res> | undefined {
    const waiters = [...this.#waiters];
    const deadlines = waiters.map(({ call }) => call.deadline);
    const until = renewedUntil(deadline, deadlines, clock.now(), this.#parts.minRenewMs);
    return waiters.find(({ call }) => call.deadline === until);
  }
}
