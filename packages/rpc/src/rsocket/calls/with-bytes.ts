import { type Endpoint, FlotillaError } from '@flotilla/core';
import type { OperationRequest, OperationResponse } from '../../client/operation-request.ts';
import { hasBytes } from './has-bytes.ts';

/** Operations with bytes by `openPlain`, which is asked for with the first of them; all others by `fast`. */
export function withBytesOver(
  openPlain: () => Endpoint<OperationRequest, OperationResponse>,
  fast: Endpoint<OperationRequest, OperationResponse>,
): Endpoint<OperationRequest, OperationResponse> {
  let plain: Endpoint<OperationRequest, OperationResponse> | undefined;
  return {
    handle(request, call) {
      if (!hasBytes(request.operation)) return fast.handle(request, call);
      plain ??= openPlain();
      return plain.handle(request, call);
    },
    get status() {
      return fast.status;
    },
    get load() {
      return fast.load + (plain?.load ?? 0);
    },
    async close() {
      await Promise.all([fast.close(), plain?.close()]);
    },
  };
}

/** Refuses operations with bytes: whoever calls back its caller has no HTTP to it. */
export const noBytes: Endpoint<OperationRequest, OperationResponse> = {
  handle({ operation }, call) {
    const detail = `${operation.name} takes or answers bytes, which no caller that is called back does: move them to an operation of the service`;
    const error = new FlotillaError('UNIMPLEMENTED', detail, { executed: 'no' });
    call.end(error);
    return Promise.reject(error);
  },
  status: 'open',
  load: 0,
  close: async () => {},
};
