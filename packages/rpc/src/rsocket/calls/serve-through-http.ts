import { type Call, type Endpoint, type Handler, type Random, toFlotillaError } from '@flotilla/core';
import { type HttpHandler, type HttpRequest, type HttpResponse, writeContext } from '@flotilla/http';
import { httpCalls } from '../../client/http/http-calls.ts';
import { attributesOf, type CalledOperation } from '../../client/operation-request.ts';
import { withContract } from '../../server/contract-statement.ts';
import { answeredErrorAttribute, type ServedOperation } from '../../server/served-operation.ts';
import type { Served, ServedRequest } from './served-request.ts';

/**
 * Serves calls by a handler of HTTP messages: filters that an application has put before its operations see the request
 * that the call would be, and may refuse it or change its answer. It costs what the messages cost.
 */
export function serveThroughHttp(handler: HttpHandler, random: Random): Handler<ServedRequest, Served> {
  const endpoint: Endpoint<HttpRequest, HttpResponse> = {
    handle(request, call) {
      writeContext(call, request.headers);
      return handler(request, call);
    },
    status: 'open',
    load: 0,
    close: async () => {},
  };
  const calls = httpCalls(endpoint, { authority: 'rsocket', random, maxResponseBytes: Infinity });
  const called = new WeakMap<ServedOperation, CalledOperation>();
  const operationOf = (served: ServedOperation): CalledOperation => {
    let operation = called.get(served);
    if (!operation) {
      const { name, info, contract, operation: spec, mapping } = served;
      operation = { name, info, contract, spec, mapping, attributes: attributesOf(info) };
      called.set(served, operation);
    }
    return operation;
  };
  return async ({ served, value, unreadable, context }: ServedRequest, call: Call): Promise<Served> => {
    try {
      if (unreadable) throw unreadable;
      return await calls.handle({ operation: operationOf(served), input: value }, call);
    } catch (thrown) {
      const failure = toFlotillaError(thrown);
      // The request said the state of the contract that is served here; the caller's own is known only here.
      const error = failure.code === 'INVALID_INPUT' ? withContract(failure, served, context.contractHash) : failure;
      call.set(answeredErrorAttribute, error);
      return error;
    }
  };
}
