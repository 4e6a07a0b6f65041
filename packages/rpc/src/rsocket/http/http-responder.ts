import { FlotillaError } from '@flotilla/core';
import type { Peer } from '@flotilla/http';
import { answerNowOf } from '@flotilla/http/engine';
import type { PayloadView } from '../payload-view.ts';
import type { RSocketResponder } from '../responder-port.ts';
import type { ResponderStream } from '../responder-stream.ts';
import { readHttpEntry } from './http-entry.ts';
import { ServerExchange } from './server-exchange.ts';
import type { HttpServingOptions, Interaction } from './serving.ts';

/**
 * Answers requests whose metadata holds the head of an HTTP request, by a handler: the same that answers over HTTP/1.1.
 * Any other request is for `otherwise`.
 *
 * | interaction | the request's body | the answer's body |
 * |---|---|---|
 * | request-response | data | data; a stream is gathered, within `maxBodyBytes` |
 * | stream | data | data behind its head where it is short, else items |
 * | channel | data, then items | as of a stream |
 *
 * @param peer who is at the other end of the connection
 */
export function httpResponder(
  options: HttpServingOptions,
  peer: Peer,
  otherwise: RSocketResponder = {},
): RSocketResponder {
  const serving = { ...options, answerNow: answerNowOf(options.handler), peer };
  const serve =
    (kind: Interaction) =>
    (request: PayloadView, stream: ResponderStream): void => {
      const head = readHttpEntry(request);
      if (head !== undefined) new ServerExchange(serving, stream, kind).begin(head, request);
      else if (otherwise[kind]) otherwise[kind](request, stream);
      else stream.fail(notServed());
    };
  return {
    requestResponse: serve('requestResponse'),
    requestStream: serve('requestStream'),
    requestChannel: serve('requestChannel'),
    fireAndForget: (request) => otherwise.fireAndForget?.(request),
  };
}

function notServed(): FlotillaError {
  return new FlotillaError('NO_ROUTE', 'here requests have the head of an HTTP request as a metadata entry');
}
