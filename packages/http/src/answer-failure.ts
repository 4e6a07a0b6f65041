import { FlotillaError } from '@flotilla/core';
import type { HttpResponse } from './exchange.ts';
import { errorFromResponse } from './problem-response.ts';

const noBytes = new Uint8Array(0);

/**
 * The failure that an answer stands for, where it could be worth another try: 429 with `retry-after`, 502, 503, 504. For
 * callers that pass answers on as they are and only ask themselves whether to repeat the request.
 *
 * A body that is all there is read for what it says of the work; of a stream only the status counts.
 * @returns undefined for any other answer, and for one that names a time which is no number of seconds
 */
export function answerFailure(response: HttpResponse): FlotillaError | undefined {
  const { status, headers, body } = response;
  const isTransient = status === 502 || status === 503 || status === 504 || status === 429;
  if (!isTransient || !/^[0-9]{1,8}$/.test(headers.get('retry-after') ?? '0')) return undefined;
  const error = errorFromResponse(response, body instanceof Uint8Array ? body : noBytes);
  if (status === 502 && error.code === 'BAD_RESPONSE') {
    return new FlotillaError('CONNECTION_LOST', 'the callee answered 502', { fromPeer: true });
  }
  return error;
}
