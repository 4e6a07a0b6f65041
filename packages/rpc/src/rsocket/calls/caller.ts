import { type Attribute, attribute, type Call, FlotillaError } from '@flotilla/core';
import { type Client, createClient } from '../../client/client.ts';
import type { AnyContract } from '../../contract/index.ts';
import type { RSocketPeer } from '../peer.ts';
import { rsocketCalls } from './call-client.ts';
import type { DataCodec } from './data-codec.ts';
import type { RSocketLinks } from './links.ts';

/** The connection by which a call came in. Unset: it came by a way that goes one way only. */
export const callerAttribute: Attribute<CallerLinks> = attribute('caller');

/** One connection that somebody else opened, and the data that its SETUP names. */
export interface CallerLinks extends RSocketLinks {
  readonly codec: DataCodec;
}

/**
 * A client of a contract that the caller serves to whom it calls: its requests travel back on the connection by which the
 * call came.
 *
 * ```ts
 * const listener = callerOf(events, call);
 * await listener.progress({ percent: 50 });
 * ```
 *
 * The caller names the contracts when it makes its client: `app.client(jobs, { serves: [bind(events, handlers)] })`. A
 * client may be kept for later; it works for as long as the connection lasts.
 *
 * @throws FlotillaError UNIMPLEMENTED when the call came over HTTP
 */
export function callerOf<C extends AnyContract>(contract: C, call: Call): Client<C> {
  const links = call.get(callerAttribute);
  if (!links) {
    const detail = 'the caller cannot be called back: its call came over HTTP; see the setting transport';
    throw new FlotillaError('UNIMPLEMENTED', detail, { executed: 'no' });
  }
  return createClient(contract, rsocketCalls(links, { codec: links.codec }), {
    clock: call.clock,
    random: call.random,
  });
}

/** One connection that somebody else opened, as links: it cannot be opened again. */
export function callerLinks(peer: RSocketPeer, codec: DataCodec): CallerLinks {
  return {
    codec,
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
}
