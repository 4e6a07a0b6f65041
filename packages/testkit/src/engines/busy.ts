/**
 * Whether the process waits for files, host names or a thread of the pool: work that ends by itself, and that a
 * clock moved by hand must not overtake. Timers, sockets and workers do not count.
 */
export function busyWithFiles(): boolean {
  return process.getActiveResourcesInfo().some((name) => /Req|Job|Promise|Zlib/.test(name));
}
