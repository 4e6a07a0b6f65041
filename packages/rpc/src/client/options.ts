import type { Call, Clock, Endpoint, Random } from '@flotilla/core';
import type { HttpRequest, HttpResponse } from '@flotilla/http';
import type { AnyOperation, HttpMapping } from '../contract/index.ts';
import type { OperationInfo } from '../operation-attribute.ts';

/** What one call may be told besides its input. */
export interface CallTerms {
  /** Milliseconds that this call may take; for a stream, until its head. Default: the client's. */
  readonly timeoutMs?: number;
  /** Lets the callee recognise a repeated command. Default: a new one for idempotent commands, none for others. */
  readonly idempotencyKey?: string;
}

/** What a client needs. */
export interface ClientOptions {
  /** Host and port that requests name: `catalog`, `127.0.0.1:8080`. */
  readonly authority: string;
  readonly clock: Clock;
  readonly random: Random;
  /** Milliseconds that a call may take if it does not say; for a stream, until its head. Default: until the caller's deadline. */
  readonly timeoutMs?: number;
  /** Of an answer, in bytes; of one element, for a stream. Default 10,485,760. */
  readonly maxResponseBytes?: number;
  /** Finds the call to work for when a method is given none. Default: `currentCall`, the one that the running code works for. */
  readonly call?: () => Call | undefined;
}

/** The default of each number of {@link ClientOptions}. */
export const clientDefaults: Readonly<Required<Pick<ClientOptions, 'maxResponseBytes'>>> = Object.freeze({
  maxResponseBytes: 10_485_760,
});

/** All that calling one operation takes. */
export interface Caller {
  /** `catalog.product` */
  readonly name: string;
  readonly info: OperationInfo;
  readonly operation: AnyOperation;
  readonly mapping: HttpMapping;
  readonly endpoint: Endpoint<HttpRequest, HttpResponse>;
  readonly options: ClientOptions;
}
