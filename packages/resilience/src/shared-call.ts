import { Call } from '@flotilla/core';

/**
 * A call that several others wait for: in the span of the first of them, with its baggage, urgency and attributes, but with a
 * deadline and an end of its own. That one of them is cancelled changes nothing.
 */
export function sharedCall(first: Call, deadline: number): Call {
  const { clock, random, trace, baggage, urgency, attempt } = first;
  const shared = new Call({ clock, random, deadline, trace, baggage, urgency, attempt });
  shared.takeAttributes(first);
  return shared;
}

/** A copy of JSON, so that no two callers hold one object. Everything that is no object is its own copy. */
export function copyJson<T>(value: T): T {
  return typeof value === 'object' && value !== null ? JSON.parse(JSON.stringify(value)) : value;
}
