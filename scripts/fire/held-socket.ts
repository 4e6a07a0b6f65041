import net from 'node:net';

/** What `node:net` has for `node:cluster`: a socket that is bound and that this process never accepts from. */
interface BoundHandle {
  readonly fd: number;
  getsockname(out: { port?: number }): number;
  close(): void;
}

/** A socket that outlives the processes that listen on it, as a socket unit of systemd does. */
export interface HeldSocket {
  /** For the `stdio` of a process that is started. */
  readonly fd: number;
  close(): void;
}

/**
 * Binds a socket and only holds it. Node.js has no public means for that, so this takes the one that its own cluster
 * uses; the first process that gets the socket makes it listen. From then on it takes connections while no process is
 * there: they wait for the next one.
 *
 * @throws Error when the port is taken
 */
export function holdSocket(host: string, port: number): HeldSocket {
  const create = (net as unknown as { _createServerHandle(...args: unknown[]): BoundHandle | number })
    ._createServerHandle;
  const handle = create(host, port, 4, -1);
  if (typeof handle === 'number') throw new Error(`cannot bind ${host}:${port}: error ${handle}`);
  const bound: { port?: number } = {};
  const failed = handle.getsockname(bound); // a taken port shows only here
  if (failed !== 0 || bound.port !== port) {
    handle.close();
    throw new Error(`cannot bind ${host}:${port}: it is taken`);
  }
  return { fd: handle.fd, close: () => handle.close() };
}
