import { type Attribute, attribute, type Call, type Endpoint, FlotillaError } from '@flotilla/core';
import { type Client, createClient } from '../../client/client.ts';
import type { OperationRequest, OperationResponse } from '../../client/operation-request.ts';
import type { AnyContract } from '../../contract/index.ts';
import type { RSocketPeer } from '../peer.ts';
import { rsocketCalls } from './call-client.ts';
import type { DataCodec } from './data-codec.ts';
import type { RSocketLinks } from './links.ts';
import { noBytes, withBytesOver } from './with-bytes.ts';

/** Whoever made a call, as one whose operations can be called. */
export interface Caller {
  /** For one client; what it gives up, others keep. */
  calls(): Endpoint<OperationRequest, OperationResponse>;
}

/** Whom a call came from. Unset: it came by a way that goes one way only. */
export const callerAttribute: Attribute<Caller> = attribute('caller');

/** One connection that somebody else opened, and the data that its SETUP names. */
export interface CallerLinks extends RSocketLinks, Caller {
  readonly codec: DataCodec;
}

/**
 * A client of a contract that the caller serves to whom it calls: its requests travel back on the connection by which the
 * call came, or directly where both are in one process.
 *
 * ```ts
 * const listener = callerOf(events, call);
 * await listener.progress({ percent: 50 });
 * ```
 *
 * The caller names the contracts when it makes its client: `app.client(jobs, { serves: [bind(events, handlers)] })`. A
 * client may be kept for later; it works for as long as the connection lasts.
 *
 * @throws FlotillaError UNIMPLEMENTED when the call came over HTTP, or out of this process by a client that serves nothing
 */
export function callerOf<C extends AnyContract>(contract: C, call: Call): Client<C> {
  const caller = call.get(callerAttribute);
  if (!caller) {
    const detail = `the caller cannot be called back for contract "${contract.name}": its call came over HTTP (see the setting transport), or its client serves nothing (see its option serves)`;
    throw new FlotillaError('UNIMPLEMENTED', detail, { executed: 'no' });
  }
  return createClient(contract, caller.calls(), { clock: call.clock, random: call.random });
}

/** One connection that somebody else opened, as links: it cannot be opened again. */
export function callerLinks(peer: RSocketPeer, codec: DataCodec): CallerLinks {
  const links: CallerLinks = {
    codec,
    calls: () => withBytesOver(() => noBytes, rsocketCalls(links, { codec })),
    target: 'the caller',
    get status() {
      return peer.takesRequests ? ('open' as const) : ('busy' as const);
    },
    get outstanding() {
      return peer.outstanding;
    },
    current: () => (peer.takesRequests ? peer : undefined),
    connect: () =>
      Promise.reject(
        new FlotillaError('UNAVAILABLE', 'the connection of the caller takes no more requests, or is gone'),
      ),
    close: async () => {},
  };
  return links;
}
