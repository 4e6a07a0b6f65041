import { FlotillaError } from '@flotilla/core';

/** An operation as a caller names it. */
export interface WantedOperation {
  readonly contract: string;
  /** Undefined: the highest that is served. */
  readonly version: number | undefined;
  readonly operation: string;
}

/** @throws FlotillaError INVALID_INPUT */
export function parseOperationName(name: string): WantedOperation {
  const [, contract, version, operation] = /^([^@]+?)(?:@([1-9][0-9]{0,8}))?\.([A-Za-z]\w*)$/.exec(name) ?? [];
  if (contract === undefined || operation === undefined) {
    throw new FlotillaError(
      'INVALID_INPUT',
      `"${name.slice(0, 200)}" names no operation: write contract.operation or contract@version.operation`,
      { executed: 'no' },
    );
  }
  return { contract, operation, version: version === undefined ? undefined : Number(version) };
}
