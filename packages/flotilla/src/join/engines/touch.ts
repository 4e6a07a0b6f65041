import { connect } from 'node:net';
import type { Address } from '@flotilla/core';

/** Opens a connection and closes it again. @throws Error when it cannot be opened, or not in time. */
export function touch({ host, port }: Address, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`not accepted within ${timeoutMs} ms`)));
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
