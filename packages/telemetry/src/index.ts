export {
  createHealth,
  type Health,
  type HealthCheck,
  type HealthState,
  type Liveness,
  type Readiness,
} from './health.ts';
export { createLogger, type LoggerOptions } from './logs/logger.ts';
export { fromPino, type PinoLike } from './logs/pino.ts';
export { logLimits } from './logs/printable.ts';
export { assertManagementExposure, type ManagementCredentials } from './management/exposure.ts';
export { type ManagementOptions, managementHandler, openApiPath } from './management/handler.ts';
export { type PrometheusMeter, type PrometheusMeterOptions, prometheusMeter } from './metrics/prometheus-meter.ts';
export { defaultBuckets } from './metrics/recorded.ts';
export { maxSeriesPerMetric } from './metrics/series-table.ts';
export { CallObserver, type CallObserverOptions, Observation, type ObserveOptions, observe } from './observe.ts';
export { type OtelApi, type OtelTracerOptions, otelTracer } from './spans/otel-tracer.ts';
export {
  httpRequestAttributes,
  httpResponseAttributes,
  rpcAttributes,
  type SpanAttributes,
  semanticNames,
} from './spans/semantic-names.ts';
export { type SpanIds, spanIds } from './spans/span-ids.ts';
