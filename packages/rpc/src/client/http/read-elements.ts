import { FlotillaError, fromProblem } from '@flotilla/core';
import {
  bodyStream,
  decodeEvents,
  decodeLines,
  eventStreamMediaType,
  type HttpResponse,
  ndjsonMediaType,
} from '@flotilla/http';
import { problemMember } from '../../stream-problem.ts';
import { badResponse, declaredOrBad, parseAnswer, type Reading } from './read-output.ts';

/**
 * The elements of a stream as they come, in either format. Ends when the callee says that it is whole.
 * @throws FlotillaError the error with which the callee broke it off; CONNECTION_LOST when it was cut; BAD_RESPONSE
 */
export function readElements(reading: Reading, response: HttpResponse): AsyncIterable<unknown> {
  const type = (response.headers.get('content-type') ?? '').split(';', 1)[0]?.trim().toLowerCase();
  if (type === ndjsonMediaType) return readLines(reading, response);
  if (type === eventStreamMediaType) return readEvents(reading, response);
  throw badResponse(reading.name, `a stream of type "${type?.slice(0, 100)}", which is not read here`);
}

async function* readLines(reading: Reading, response: HttpResponse): AsyncGenerator<unknown, undefined> {
  for await (const line of decodeLines(bodyStream(response.body), { maxLineBytes: reading.maxBytes })) {
    const element = parseAnswer(reading.name, line);
    if (isProblemLine(element)) throw errorOf(reading, element[problemMember], response.status);
    yield element;
  }
}

async function* readEvents(reading: Reading, response: HttpResponse): AsyncGenerator<unknown, undefined> {
  for await (const event of decodeEvents(bodyStream(response.body), { maxEventBytes: reading.maxBytes })) {
    if (event.event === 'end') return;
    const element = parseAnswer(reading.name, event.data);
    if (event.event === 'error') throw errorOf(reading, element, response.status);
    yield element;
  }
  throw new FlotillaError('CONNECTION_LOST', `the stream of ${reading.name} broke off before its end`);
}

function isProblemLine(element: unknown): element is { readonly [problemMember]: unknown } {
  return typeof element === 'object' && element !== null && Object.hasOwn(element, problemMember);
}

/** The status of the answer was sent before the error happened: the document's own counts. */
function errorOf(reading: Reading, document: unknown, status: number): FlotillaError {
  const stated = (document as { readonly status?: unknown } | null)?.status;
  const error = fromProblem(document, typeof stated === 'number' ? stated : status);
  return error ? declaredOrBad(reading, error) : badResponse(reading.name, 'an error that is no problem document');
}
