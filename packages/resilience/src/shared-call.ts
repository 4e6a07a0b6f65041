import { type Attribute, Call } from '@flotilla/core';

/**
 * A call that several others wait for: in the span of the first of them, with its baggage, urgency and attributes, but with a
 * deadline and an end of its own. That one of them is cancelled changes nothing.
 */
export class SharedCall extends Call {
  readonly #first: Call;

  constructor(first: Call, deadline: number) {
    super({
      clock: first.clock,
      random: first.random,
      deadline,
      trace: first.trace,
      baggage: first.baggage,
      urgency: first.urgency,
      attempt: first.attempt,
    });
    this.#first = first;
  }

  override get<T>(key: Attribute<T>): T | undefined {
    return super.get(key) ?? this.#first.get(key);
  }
}

/** A copy of JSON, so that no two callers hold one object. Everything that is no object is its own copy. */
export function copyJson<T>(value: T): T {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value;
}
