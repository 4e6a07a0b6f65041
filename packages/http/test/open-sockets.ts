/** What the process holds open of the network: names of libuv's handles. */
export function openSockets(): readonly string[] {
  return process.getActiveResourcesInfo().filter((name) => /^TCP|^TLS|^GetAddrInfo/.test(name));
}
