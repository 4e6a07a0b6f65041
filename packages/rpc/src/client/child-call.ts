import { Call, type Clock, currentCall, type Random, type SharedAttributes } from '@flotilla/core';
import type { OperationInfo } from '../operation-attribute.ts';
import type { CalledOperation } from './operation-request.ts';
import type { CallTerms, ClientOptions } from './options.ts';

/**
 * The call in which an operation is called: a child of the one it works for, or the first of a trace.
 * @param expendable nobody but the filters knows it; see `Call.expendable`
 */
export function childCall(
  { info, attributes }: CalledOperation,
  options: ClientOptions,
  given: Call | undefined,
  terms: CallTerms | undefined,
  timeoutMs: number | undefined,
  expendable = false,
): Call {
  const parent = given ?? (options.call ?? currentCall)();
  const idempotencyKey = terms?.idempotencyKey ?? keyFor(info, options.random);
  const { clock, random } = options;
  return parent
    ? parent.child({ idempotencyKey, timeoutMs, expendable, attributes })
    : firstCall(clock, random, idempotencyKey, timeoutMs, expendable, attributes);
}

function firstCall(
  clock: Clock,
  random: Random,
  idempotencyKey: string | undefined,
  timeoutMs: number | undefined,
  expendable: boolean,
  attributes: SharedAttributes,
): Call {
  const startedAt = clock.now();
  const deadline = timeoutMs === undefined ? undefined : startedAt + timeoutMs;
  return new Call({ clock, random, idempotencyKey, deadline, startedAt, expendable, attributes });
}

/** 128 bits: it has to differ from all others, not to be a secret. */
function keyFor({ kind, idempotent }: OperationInfo, random: Random): string | undefined {
  if (!idempotent || (kind !== 'command' && kind !== 'notify')) return undefined;
  let key = '';
  while (key.length < 32)
    key += Math.floor(random() * 0x1_0000_0000)
      .toString(16)
      .padStart(8, '0');
  return key;
}
