/** The first descriptor that a supervisor hands over: after input, output and errors (sd_listen_fds(3)). */
const firstDescriptor = 3;

/** More than any service listens on; a larger number is a mistake. */
const mostDescriptors = 1_024;

/**
 * The listening sockets that a supervisor (systemd, or whoever speaks its protocol, sd_listen_fds(3)) opened and
 * handed over: their names → their descriptors, for `Bind`. A restart then refuses nobody: the socket never closes.
 *
 * A socket without a name, or with one that another has, is called by its descriptor: `fd3`.
 *
 * ```ts
 * const fd = inheritedSockets(process.env, process.pid).get('http');
 * await network.listen(fd === undefined ? { host, port } : { fd }, handler);
 * ```
 *
 * @param pid of this process: what `LISTEN_PID` names another one for is not ours. Empty then, and without `LISTEN_FDS`.
 */
export function inheritedSockets(
  env: Readonly<Record<string, string | undefined>>,
  pid: number,
): ReadonlyMap<string, number> {
  const sockets = new Map<string, number>();
  if (env['LISTEN_PID'] !== String(pid)) return sockets;
  const count = descriptorCount(env['LISTEN_FDS']);
  const names = (env['LISTEN_FDNAMES'] ?? '').split(':');
  for (let i = 0; i < count; i++) {
    const fd = firstDescriptor + i;
    const name = names[i];
    sockets.set(name === undefined || name === '' || sockets.has(name) ? `fd${fd}` : name, fd);
  }
  return sockets;
}

function descriptorCount(text: string | undefined): number {
  return text !== undefined && /^[0-9]{1,4}$/.test(text) ? Math.min(Number(text), mostDescriptors) : 0;
}
