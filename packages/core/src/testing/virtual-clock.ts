import { assertDuration, type Clock, type Timer } from '../clock.ts';

interface Event {
  readonly at: number;
  readonly order: number;
  fire: (() => void) | undefined;
}

/**
 * Time that runs from event to event, as fast as they can be worked off: for simulations with very many timers. The same events
 * in the same order each time. A test that looks at one moment after the other takes a `ManualClock`.
 */
export class VirtualClock implements Clock {
  #now = 0;
  #order = 0;
  #pending = 0;
  /** A heap: a parent at i is due no later than its children at 2i + 1 and 2i + 2. */
  readonly #events: Event[] = [];

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return epochMs + this.#now;
  }

  /** Timers that have neither fired nor been cancelled. */
  get pendingTimers(): number {
    return this.#pending;
  }

  setTimer(delayMs: number, fire: () => void): Timer {
    assertDuration(delayMs);
    if (delayMs === Infinity) return { cancel() {} };
    const event: Event = { at: this.#now + delayMs, order: this.#order++, fire };
    this.#push(event);
    this.#pending += 1;
    return {
      cancel: () => {
        if (event.fire) this.#pending -= 1;
        event.fire = undefined;
      },
    };
  }

  /** Works off everything that is due until `untilMs`; what an event starts in promises is done before the next one. */
  async run(untilMs: number): Promise<void> {
    for (let next = this.#events[0]; next && next.at <= untilMs; next = this.#events[0]) {
      this.#pop();
      const { fire } = next;
      if (!fire) continue;
      next.fire = undefined; // cancelling it changes nothing any more
      this.#pending -= 1;
      this.#now = next.at;
      fire();
      await turn();
    }
    this.#now = untilMs;
  }

  #push(event: Event): void {
    const events = this.#events;
    let place = events.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >>> 1;
      if (!isBefore(event, events[parent] as Event)) break;
      events[place] = events[parent] as Event;
      place = parent;
    }
    events[place] = event;
  }

  #pop(): void {
    const events = this.#events;
    const last = events.pop();
    if (!last || events.length === 0) return;
    let place = 0;
    for (let child = 1; child < events.length; child = 2 * place + 1) {
      if (child + 1 < events.length && isBefore(events[child + 1] as Event, events[child] as Event)) child += 1;
      if (!isBefore(events[child] as Event, last)) break;
      events[place] = events[child] as Event;
      place = child;
    }
    events[place] = last;
  }
}

/** 2026-01-01T00:00:00Z. */
const epochMs = 1_767_225_600_000;

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** Until all promises that can be settled are. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
