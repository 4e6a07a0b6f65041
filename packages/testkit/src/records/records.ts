import type { Clock, Logger, Meter, Tracer } from '@flotilla/core';
import { LogBook } from './log-book.ts';
import { MetricBook } from './metric-book.ts';
import { SpanBook } from './span-book.ts';

/** Everything that a fleet says of itself. */
export class Records {
  readonly logs: LogBook = new LogBook();
  readonly metrics: MetricBook = new MetricBook();
  readonly spans: SpanBook = new SpanBook();

  /** What a party reports to. @param alive a party that was killed is not heard any more. */
  of(
    party: string,
    clock: Clock,
    alive: () => boolean,
  ): { readonly logger: Logger; readonly meter: Meter; readonly tracer: Tracer } {
    const now = (): number => clock.now();
    return {
      logger: this.logs.logger(party, now, alive),
      meter: this.metrics.meter(party),
      tracer: this.spans.tracer(party, now),
    };
  }
}
