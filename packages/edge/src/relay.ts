import { FlotillaError } from '@flotilla/core';
import type { Reply } from '@flotilla/rpc';

/**
 * Waits for a backend's reply and makes those of its errors that are named the errors of the operation that called: code,
 * sentence and data pass unchanged to whoever called the edge, whose contract has to declare them too. Any other error is
 * thrown as it is: the details of a backend are not for outside unless somebody says so.
 *
 * ```ts
 * placeOrder: (order, call) => relay(orders.place(order, call), 'SOLD_OUT', 'PRODUCT_UNKNOWN'),
 * ```
 * @throws FlotillaError
 */
export async function relay<Out, Errors>(
  reply: Reply<Out, Errors>,
  ...codes: readonly (keyof Errors & string)[]
): Promise<Out> {
  try {
    return await reply;
  } catch (thrown) {
    if (!(thrown instanceof FlotillaError) || !(codes as readonly string[]).includes(thrown.code)) throw thrown;
    const { code, detail, data, executed, httpStatus, retryAfterMs } = thrown;
    throw new FlotillaError(code, detail, {
      data,
      executed,
      httpStatus,
      cause: thrown,
      ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
    });
  }
}
