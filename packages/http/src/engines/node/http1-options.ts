import type { Clock, Logger, Random } from '@flotilla/core';
import type { CallMaker, HttpHandler } from '../../exchange.ts';
import type { PathOptions } from '../../path.ts';
import type { AnswerNow } from '../../prompt.ts';
import type { FailureListener } from '../answer.ts';
import type { AnswerHeads } from './answer-head.ts';
import type { ListenerLimits } from './options.ts';
import type { RefusalPage } from './refusal.ts';

/** What HTTP/1.1 needs. */
export interface Http1Options {
  readonly handler: HttpHandler;
  /** Its short way, if it has one. */
  readonly answerNow?: AnswerNow | undefined;
  readonly makeCall: CallMaker;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly limits: ListenerLimits;
  /** How paths are read. */
  readonly pathOptions: PathOptions;
  /** See {@link NodeNetworkOptions.refusalPage}. */
  readonly refusalPage?: RefusalPage | undefined;
  /** Hears of each request that its handler could not answer. */
  readonly failed: FailureListener;
}

/** That, and what all connections of one listener share. */
export interface Http1Shared extends Http1Options {
  readonly heads: AnswerHeads;
}
