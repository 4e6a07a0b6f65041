import type { FlotillaError } from '@flotilla/core';
import type { CarriedContext } from '../../context/context-entry.ts';
import type { ServedOperation } from '../../server/served-operation.ts';

/** What filters of a served call see. */
export interface ServedRequest {
  readonly served: ServedOperation;
  /**
   * The input as it came, not parsed by its schema; of `upload` and `duplex` the elements. It is decoded when it is first
   * looked at: a filter that refuses without looking costs no decoding.
   */
  readonly value: unknown;
  readonly context: CarriedContext;
  /** Why there is no value: it could not be read. To ask is to look at it. */
  readonly unreadable: FlotillaError | undefined;
  /** Did it wait for anything since its call began? Then the deadline may have passed meanwhile. */
  readonly waited: boolean;
}

/** What serving a call came to: the output, the elements of a stream, undefined without output, or the error to answer. */
export type Served = unknown;
