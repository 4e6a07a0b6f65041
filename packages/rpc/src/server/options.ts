import {
  type Clock,
  type Filter,
  gateFilter,
  type Logger,
  type Meter,
  nullLogger,
  nullMeter,
  nullTracer,
  type Tracer,
} from '@flotilla/core';
import type { HttpHandler, RouteSpec } from '@flotilla/http';
import type { RememberOperation } from './remember.ts';

/** How contracts are served. */
export interface ContractHandlerOptions {
  /** Of a request body, in bytes. Default 1,048,576: more belongs in a stream or a store. */
  readonly maxBodyBytes?: number;
  /** An idle stream sends something that means nothing this often, in milliseconds. Default 15,000: half of the usual idle time-out of proxies. */
  readonly heartbeatMs?: number;
  /**
   * The head of a stream's answer waits this long for the first element, in milliseconds, so that an operation that
   * fails at once answers with its error's status. 0: not at all. Default 250: more than a look-up, less than a person notices.
   */
  readonly headWaitMs?: number;
  /** Gets failures that no contract declares, with their cause. Default: nobody. */
  readonly logger?: Logger;
  readonly meter?: Meter;
  readonly tracer?: Tracer;
  /** Recognises commands that come again under their idempotency key. Default: nobody does, and a command runs each time. */
  readonly remember?: RememberOperation;
  /** For heartbeats. Default: the clock of each call. */
  readonly clock?: Clock;
  /** Routes beside those of the contracts, such as a page or a web hook. */
  readonly extraRoutes?: readonly RouteSpec<HttpHandler>[];
  /** What stands before each operation, inside of what measures it: limits that refuse before the body is read. Default: nothing. */
  readonly protect?: ProtectOperation;
}

/** Makes the filter before one operation. */
export type ProtectOperation = <Req, Res>(operation: ProtectedOperation) => Filter<Req, Res>;

/** What is known of an operation that is protected. */
export interface ProtectedOperation {
  /** `catalog.product` */
  readonly operation: string;
  /** The answer goes on after it has begun. */
  readonly streamed: boolean;
}

/** The default of each number of {@link ContractHandlerOptions}. */
export const contractHandlerDefaults: Readonly<
  Required<Pick<ContractHandlerOptions, 'maxBodyBytes' | 'heartbeatMs' | 'headWaitMs'>>
> = Object.freeze({ maxBodyBytes: 1_048_576, heartbeatMs: 15_000, headWaitMs: 250 });

/** Every option with its value. */
export interface ResolvedOptions {
  readonly maxBodyBytes: number;
  readonly heartbeatMs: number;
  readonly headWaitMs: number;
  readonly logger: Logger;
  readonly meter: Meter;
  readonly tracer: Tracer;
  readonly clock: Clock | undefined;
  readonly extraRoutes: readonly RouteSpec<HttpHandler>[];
  readonly protect: ProtectOperation;
  readonly remember: RememberOperation | undefined;
}

/** @throws RangeError naming the number that cannot be used */
export function resolveOptions(options: ContractHandlerOptions): ResolvedOptions {
  const { maxBodyBytes, heartbeatMs, headWaitMs } = contractHandlerDefaults;
  return {
    maxBodyBytes: atLeast(0, 'maxBodyBytes', options.maxBodyBytes ?? maxBodyBytes),
    heartbeatMs: atLeast(1, 'heartbeatMs', options.heartbeatMs ?? heartbeatMs),
    headWaitMs: atLeast(0, 'headWaitMs', options.headWaitMs ?? headWaitMs),
    logger: options.logger ?? nullLogger,
    meter: options.meter ?? nullMeter,
    tracer: options.tracer ?? nullTracer,
    clock: options.clock,
    extraRoutes: options.extraRoutes ?? [],
    protect: options.protect ?? unprotected,
    remember: options.remember,
  };
}

const unprotected: ProtectOperation = () => gateFilter({ enter: () => undefined });

function atLeast(least: number, name: string, value: number): number {
  if (value >= least) return value;
  throw new RangeError(`${name} must be a number from ${least} on, got ${value}`);
}
