import { type Call, type Endpoint, type Random, toFlotillaError } from '@flotilla/core';
import type { HttpNetwork, HttpRequest, HttpResponse } from '@flotilla/http';
import { operationKinds } from '../../contract/index.ts';
import { withDifference } from '../contract-difference.ts';
import type { CalledOperation, OperationRequest, OperationResponse } from '../operation-request.ts';
import type { RpcTransport } from '../transport.ts';
import { openDownload } from './read-bytes.ts';
import { readElements } from './read-elements.ts';
import { type Reading, readError, readOutput } from './read-output.ts';
import { requestOf } from './request.ts';

/** How operations are called over HTTP. */
export interface HttpCallsOptions {
  /** Host and port that requests name: `catalog`, `127.0.0.1:8080`. */
  readonly authority: string;
  /** For the boundaries of forms. */
  readonly random: Random;
  /** Of an answer, in bytes; of one element, for a stream. Default 10,485,760. */
  readonly maxResponseBytes?: number;
}

/** The default of each number of {@link HttpCallsOptions}. */
export const httpCallsDefaults: Readonly<Required<Pick<HttpCallsOptions, 'maxResponseBytes'>>> = Object.freeze({
  maxResponseBytes: 10_485_760,
});

/** Calls of operations over HTTP and JSON. */
export function httpTransport(
  network: Pick<HttpNetwork, 'connect'>,
  { random }: Pick<HttpCallsOptions, 'random'>,
  around: (
    endpoint: Endpoint<HttpRequest, HttpResponse>,
    target: Parameters<RpcTransport['connect']>[0],
  ) => Endpoint<HttpRequest, HttpResponse> = (endpoint) => endpoint,
): RpcTransport {
  return {
    protocols: ['http', 'https'],
    connect(target) {
      const { protocol, host, port } = target.address;
      const endpoint = network.connect({ protocol: protocol === 'https' ? 'https' : 'http', host, port });
      return httpCalls(around(endpoint, target), { authority: target.authority, random });
    },
  };
}

/**
 * An endpoint of HTTP as one that operations are called at: the request says the input as the contract maps it, and the
 * answer is read as it says. Every status that is no success is thrown as the error that it says.
 */
export function httpCalls(
  endpoint: Endpoint<HttpRequest, HttpResponse>,
  options: HttpCallsOptions,
): Endpoint<OperationRequest, OperationResponse> {
  const maxBytes = options.maxResponseBytes ?? httpCallsDefaults.maxResponseBytes;
  const readings = new WeakMap<CalledOperation, Reading>();
  const readingOf = (operation: CalledOperation): Reading => {
    let reading = readings.get(operation);
    if (!reading) {
      const { name, spec, mapping } = operation;
      reading = { name, operation: spec, mapping, maxBytes };
      readings.set(operation, reading);
    }
    return reading;
  };
  return {
    handle: (request, call) => send(endpoint, options, readingOf(request.operation), request, call),
    get status() {
      return endpoint.status;
    },
    get load() {
      return endpoint.load;
    },
    close: () => endpoint.close(),
  };
}

async function send(
  endpoint: Endpoint<HttpRequest, HttpResponse>,
  options: HttpCallsOptions,
  reading: Reading,
  { operation, input }: OperationRequest,
  call: Call,
): Promise<OperationResponse> {
  try {
    const response = await endpoint.handle(requestOf(operation, input, options), call);
    if (response.status < 200 || response.status > 299) {
      throw withDifference(operation, await readError(reading, response, call));
    }
    if (operationKinds[operation.info.kind].response === 'many') return readElements(reading, response);
    const { answer } = operation.mapping;
    if (answer?.kind === 'byteStream') return openDownload(operation.name, answer, response, call);
    return await readOutput(reading, response, call);
  } catch (thrown) {
    const error = toFlotillaError(thrown);
    call.end(error);
    throw error;
  }
}
