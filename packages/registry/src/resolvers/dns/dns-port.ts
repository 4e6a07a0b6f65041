import type { Call } from '@flotilla/core';
import type { DnsAnswer, DnsQuestion } from './message.ts';

/** Port: name servers. */
export interface DnsPort {
  /**
   * Asks, over TCP when the answer does not fit otherwise. Never `truncated`.
   * @throws FlotillaError CONNECTION_LOST when no server answers, BAD_RESPONSE for a broken answer; ends with the call.
   */
  ask(question: DnsQuestion, call: Call): Promise<Exclude<DnsAnswer, { kind: 'truncated' }>>;
}
