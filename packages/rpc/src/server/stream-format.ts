import { type FlotillaError, type Problem, toProblem } from '@flotilla/core';
import {
  acceptsMediaType,
  encodeComment,
  encodeEvent,
  encodeLine,
  eventStreamMediaType,
  ndjsonMediaType,
} from '@flotilla/http';
import { problemMember } from '../stream-problem.ts';

/** How the elements of a stream go over HTTP. */
export interface StreamFormat {
  readonly mediaType: string;
  /** @throws TypeError for an element that is no JSON, or that would read as the problem at the end */
  element(value: unknown): Uint8Array;
  /** Says that the stream is whole. Undefined: the end of the body says it. */
  end(): Uint8Array | undefined;
  /** Says that the stream broke. */
  problem(error: FlotillaError, traceId: string): Uint8Array;
  /** Means nothing: keeps an idle connection from being taken for a dead one. */
  heartbeat(): Uint8Array;
}

/**
 * Newline-delimited JSON: each element is a line, as it is, so that `curl … | jq` shows elements and nothing else. The
 * body ends when the stream is whole; a body that breaks off before its HTTP end was cut. An error is the last line,
 * `{"flotilla:problem":{…}}`: no element may have that member, so it cannot be taken for one. Empty lines are heartbeats.
 */
const lines: StreamFormat = {
  mediaType: ndjsonMediaType,
  element(value) {
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, problemMember)) {
      throw new TypeError(`an element may not have the member "${problemMember}"`);
    }
    return encodeLine(value);
  },
  end: () => undefined,
  problem: (error, traceId) => encodeLine({ [problemMember]: toProblem(error, traceId) satisfies Problem }),
  heartbeat: () => newline,
};

/**
 * Server-sent events: each element is the data of an unnamed event. `event: end` says that the stream is whole, so that a
 * browser's EventSource, which would connect again, can be closed; `event: error` carries the problem. Comments are
 * heartbeats.
 */
const events: StreamFormat = {
  mediaType: eventStreamMediaType,
  element: (value) => encodeEvent({ data: JSON.stringify(value) }),
  end: () => encodeEvent({ event: 'end', data: '' }),
  problem: (error, traceId) => encodeEvent({ event: 'error', data: JSON.stringify(toProblem(error, traceId)) }),
  heartbeat: () => encodeComment(),
};

const newline = new TextEncoder().encode('\n');

/** Events for whoever prefers them, lines for everybody else. */
export function chooseFormat(accept: string | undefined): StreamFormat {
  return acceptsMediaType(accept, [lines.mediaType, events.mediaType]) === events.mediaType ? events : lines;
}
