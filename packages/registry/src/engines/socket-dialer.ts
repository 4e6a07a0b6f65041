import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { Dialer, Dialled } from '../server/dial-back.ts';

/** How {@link socketDialer} differs from the usual one: for tests. */
export interface SocketDialerOptions {
  /** All addresses that a name means. Default: the system's resolver. */
  readonly resolve?: (host: string) => Promise<readonly string[]>;
}

/** Addresses of one name that are tried, one after the other, within the time of one attempt. */
const mostAddresses = 4;

/**
 * Dials with sockets. A name is resolved once; each address is judged, and what was judged is what is dialled, whatever
 * the name means a moment later. Nothing is sent or read, so there is nothing to redirect.
 */
export function socketDialer({ resolve = resolveAll }: SocketDialerOptions = {}): Dialer {
  return {
    async dial({ host, port }, { timeoutMs, refuses }): Promise<Dialled> {
      const deadline = performance.now() + timeoutMs;
      let addresses: readonly string[];
      try {
        addresses = isIP(host) ? [host] : await within(resolve(host), timeoutMs);
      } catch (cause) {
        return { outcome: 'unresolved', detail: codeOf(cause) };
      }
      let last: Dialled = { outcome: 'unresolved', detail: 'no address' };
      for (const address of addresses.slice(0, mostAddresses)) {
        const refusal = isIP(address) ? refuses(address) : 'no IP address';
        if (refusal !== undefined) {
          last = { outcome: 'forbidden', address, detail: refusal };
          continue;
        }
        const leftMs = Math.ceil(deadline - performance.now());
        if (leftMs <= 0) return { outcome: 'silent', address, detail: `no answer within ${timeoutMs} ms` };
        last = await knock(address, port, leftMs, timeoutMs);
        if (last.outcome === 'reached') return last;
      }
      return last;
    },
  };
}

function knock(address: string, port: number, leftMs: number, timeoutMs: number): Promise<Dialled> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const timer = setTimeout(
      () => end({ outcome: 'silent', address, detail: `no answer within ${timeoutMs} ms` }),
      leftMs,
    );
    const end = (dialled: Dialled): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(dialled);
    };
    socket.once('connect', () => end({ outcome: 'reached', address, detail: 'connected' }));
    socket.on('error', (cause) => end({ outcome: outcomeOf(codeOf(cause)), address, detail: codeOf(cause) }));
  });
}

function outcomeOf(code: string): Dialled['outcome'] {
  if (code === 'ECONNREFUSED' || code === 'ECONNRESET') return 'closed';
  return code === 'ETIMEDOUT' ? 'silent' : 'unreachable';
}

async function resolveAll(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

async function within<T>(work: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function codeOf(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}
