import type { Call, Counter, FlotillaError, Meter, Span, Tracer } from '@flotilla/core';

/** Counts, times and traces the calls of one operation, from the first byte to the last. */
export interface OperationObserver {
  /** @returns is told the error that was answered, if it is one. */
  begin(call: Call): (answered: FlotillaError) => void;
}

/**
 * Metrics `flotilla_server_calls_total` (with `code`), `flotilla_server_duration_seconds` and
 * `flotilla_server_in_flight`, each with `operation`; a span of kind server. All end with the call, streams included.
 */
export function serverObservers(meter: Meter, tracer: Tracer): (operation: string) => OperationObserver {
  const calls = meter.counter({
    name: 'flotilla_server_calls_total',
    help: 'Calls served by this process that ended, by outcome.',
    labels: ['operation', 'code'],
  });
  const durations = meter.histogram({
    name: 'flotilla_server_duration_seconds',
    help: 'Time from the start of a call served by this process to the last byte of its answer.',
    labels: ['operation'],
  });
  const gauges = meter.gauge({
    name: 'flotilla_server_in_flight',
    help: 'Calls served by this process that have not ended.',
    labels: ['operation'],
  });
  return (operation) => {
    const counters = new Map<string, Counter>();
    const duration = durations.with({ operation });
    const gauge = gauges.with({ operation });
    let inFlight = 0;
    const count = (code: string): void => {
      let counter = counters.get(code);
      if (!counter) {
        counter = calls.with({ operation, code });
        counters.set(code, counter);
      }
      counter.add();
    };
    return {
      begin(call) {
        let error: FlotillaError | undefined;
        const span: Span = tracer.start(operation, 'server', call);
        const startedAt = call.clock.now();
        gauge.set(++inFlight);
        call.onEnd((outcome) => {
          gauge.set(--inFlight);
          duration.record((call.clock.now() - startedAt) / 1_000);
          count((error ?? outcome)?.code ?? 'OK');
          span.end(error ?? outcome);
        });
        return (answered) => {
          error = answered;
        };
      },
    };
  };
}
