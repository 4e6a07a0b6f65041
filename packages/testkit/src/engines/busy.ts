/**
 * Whether the process waits for files, host names or compression: work that ends by itself, and that a
 * clock moved by hand must not overtake. Timers, sockets and workers do not count, and
 * hashing in the pool (`scrypt`) cannot be seen.
 */
export function busyWithFiles(): boolean {
  return process.getActiveResourcesInfo().some((name) => /Req|Job|Promise|Zlib/.test(name));
}
