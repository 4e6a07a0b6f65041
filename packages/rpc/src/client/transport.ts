import type { Address, Endpoint, Instance } from '@flotilla/core';
import type { UtilisationListener } from '@flotilla/http';
import type { Binding } from '../handlers.ts';
import type { OperationRequest, OperationResponse } from './operation-request.ts';

/** Whom to call. */
export interface RpcTarget {
  readonly address: Address;
  /** The instance at that address. Absent: it is known by its address only. */
  readonly instance?: Instance;
  /** The name that requests give the callee: of its service or contract. */
  readonly authority: string;
  /** Hears how busy the instance is, where the transport can tell. */
  readonly report?: UtilisationListener;
  /** Contracts that the callee may call back, by a transport that goes both ways. Default: none. */
  readonly serves?: readonly Binding[] | undefined;
}

/**
 * Port: how calls of operations become bytes. Engines: HTTP with JSON ({@link httpTransport}), and RSocket
 * (`@flotilla/rpc/rsocket`).
 *
 * An endpoint opens nothing before its first call. It ends the calls that it is given: with the last byte of the answer,
 * or with the error that it rejects with, which is a FlotillaError.
 */
export interface RpcTransport {
  /** Protocols of the addresses that it reaches: `http`, `https`. */
  readonly protocols: readonly string[];
  connect(target: RpcTarget): Endpoint<OperationRequest, OperationResponse>;
}
