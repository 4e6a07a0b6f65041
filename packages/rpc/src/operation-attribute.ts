import { type Attribute, attribute } from '@flotilla/core';
import type { OperationKind } from './contract/index.ts';

/** Which operation a call is for: what logs, metrics and policies are keyed by. */
export interface OperationInfo {
  readonly contract: string;
  readonly version: number;
  readonly operation: string;
  readonly kind: OperationKind;
  readonly idempotent: boolean;
}

/** Set by typed clients on the calls that they make, and by the server on those that it handles. */
export const operationAttribute: Attribute<OperationInfo> = attribute('operation');
