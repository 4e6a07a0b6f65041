import type { PathOptions, Peer } from '@flotilla/http';
import type { answeredNow } from '@flotilla/http/engine';
import type { HttpServing, ListenerLimits } from '@flotilla/http/node';

/** What HTTP over RSocket needs on the serving side: the same as HTTP/1.1, whose other limits do not count here. */
export interface HttpServingOptions extends Pick<HttpServing, 'handler' | 'makeCall' | 'clock'> {
  readonly limits: Pick<
    ListenerLimits,
    | 'maxRequestLineBytes'
    | 'maxHeaderBytes'
    | 'maxHeaderFields'
    | 'maxFieldBytes'
    | 'maxBodyBytes'
    | 'bodyIdleMs'
    | 'bodyWindowMs'
    | 'minBodyBytesPerSecond'
    | 'writeStallMs'
    | 'sweepMs'
  >;
  /** How paths are read. Default: an escaped slash is refused. */
  readonly pathOptions?: PathOptions | undefined;
  readonly failed?: HttpServing['failed'] | undefined;
}

/** How a request came. */
export type Interaction = 'requestResponse' | 'requestStream' | 'requestChannel';

/** What all exchanges of a connection share. */
export interface Serving extends HttpServingOptions {
  readonly answerNow: Parameters<typeof answeredNow>[0];
  readonly peer: Peer;
}
