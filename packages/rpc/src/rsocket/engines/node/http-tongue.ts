import type { Tongue } from '@flotilla/http/node';
import { httpResponder } from '../../http/http-responder.ts';
import type { HttpServingOptions } from '../../http/serving.ts';
import { rsocketTongue } from './tongue.ts';

/**
 * RSocket for HTTP requests alone, for a listener that serves no typed calls.
 * `nodeNetwork({ …, tongues: (handler, bind, serving) => [httpTongue(serving)] })`
 */
export function httpTongue(serving: HttpServingOptions): Tongue {
  return rsocketTongue({ clock: serving.clock, serve: (peer) => ({ responder: httpResponder(serving, peer) }) });
}
